"""Defects about the course of a task, as polls see it."""

from typing import Any

from liars.servers.changes import CRASH, GONE, data, is_poll, task_id, with_data
from liars.servers.server import BadServer, defect
from safelight.mockserver.model.messages import Reply, Request, failure

_QUEUED = {"status": "pending", "created_at": None, "result": None, "progress": GONE}
_RUNNING = {"status": "processing", "created_at": None, "result": None}

#: Polls of one task within a second that are many.
_MANY = 8


def _first_polls(server: BadServer, request: Request, *states: dict[str, Any]) -> Reply:
    """Say these states in the first polls of a task, then what the fake says."""
    reply = server.ask(request)
    if not is_poll(request) or not data(reply):
        return reply
    number = server.count("poll", task_id(request))
    return with_data(reply, **states[number - 1]) if number <= len(states) else reply


def _are_many(server: BadServer, request: Request) -> bool:
    """There are this many polls of one task within a second."""
    if not is_poll(request):
        return False
    times = server.kept.setdefault(f"times {task_id(request)}", [])
    times.append(server.clock.now())
    del times[:-_MANY]
    return len(times) == _MANY and times[-1] - times[0] < 1


@defect("S51")
def first_polls_know_no_task(server: BadServer, request: Request) -> Reply:
    """Answers the first three polls of a task with 404."""
    reply = server.ask(request)
    is_known = is_poll(request) and data(reply)
    if is_known and server.count("poll", task_id(request)) <= 3:
        return failure(404, "Task not found")
    return reply


@defect("S52")
def queued_again_after_running(server: BadServer, request: Request) -> Reply:
    """Says of a task that ran that it is queued."""
    return _first_polls(server, request, {**_RUNNING, "progress": 5}, _QUEUED)


@defect("S52", "S55")
def says_cooking(server: BadServer, request: Request) -> Reply:
    """Says of a task at first that it is `cooking`."""
    return _first_polls(server, request, {**_RUNNING, "status": "cooking", "progress": 5})


@defect("S54")
def runs_after_it_is_done(server: BadServer, request: Request) -> Reply:
    """Says of a task that is done each third time that it is running."""
    reply = server.ask(request)
    if not is_poll(request) or data(reply).get("status") != "completed" or server.count("done", task_id(request)) % 3:
        return reply
    return with_data(reply, **_RUNNING, progress=99)


@defect("S52", "S55")
def says_the_plain_word_once(server: BadServer, request: Request) -> Reply:
    """Says `running` for `processing` in the first poll."""
    return _first_polls(server, request, {**_RUNNING, "status": "running", "progress": 5})


@defect("S53", running="never")
def never_ends(server: BadServer, request: Request) -> Reply:
    """Has tasks that run for ever."""
    return server.ask(request)


@defect("S55")
def done_has_no_result(server: BadServer, request: Request) -> Reply:
    """Says that a task is done, with null as its result."""
    reply = server.ask(request)
    return with_data(reply, result=None) if is_poll(request) and data(reply).get("status") == "completed" else reply


@defect("S55")
def running_has_no_result(server: BadServer, request: Request) -> Reply:
    """Leaves `result` out while a task runs."""
    return _first_polls(server, request, {**_RUNNING, "progress": 5, "result": GONE})


@defect("S55")
def polls_tell_another_id(server: BadServer, request: Request) -> Reply:
    """Answers a poll with another id than was asked for."""
    reply = server.ask(request)
    return with_data(reply, id="3f2504e0-4f89-41d3-9a0c-0305e82c3301") if is_poll(request) else reply


@defect("S55")
def failed_has_no_reason(server: BadServer, request: Request) -> Reply:
    """Has tasks that fail, and does not say why."""
    reply = server.ask(request)
    is_end = is_poll(request) and data(reply).get("status") == "completed"
    return with_data(reply, status="failed", result=None, created_at=GONE) if is_end else reply


@defect("S57")
def progress_falls(server: BadServer, request: Request) -> Reply:
    """Says 60 % and then 20 %."""
    return _first_polls(server, request, {**_RUNNING, "progress": 60}, {**_RUNNING, "progress": 20})


@defect("S57", "S55")
def progress_is_above_100(server: BadServer, request: Request) -> Reply:
    """Says 130 %."""
    return _first_polls(server, request, {**_RUNNING, "progress": 130})


@defect("S57", "S55")
def progress_is_a_fraction(server: BadServer, request: Request) -> Reply:
    """Says 0.45 for 45 %."""
    return _first_polls(server, request, {**_RUNNING, "progress": 0.45})


@defect("S57", "S55")
def progress_is_a_text(server: BadServer, request: Request) -> Reply:
    """Says "45%"."""
    return _first_polls(server, request, {**_RUNNING, "progress": "45%"})


@defect("S58")
def fast_polls_crash(server: BadServer, request: Request) -> Reply:
    """Answers the eighth poll of a task within a second with 500."""
    return CRASH if _are_many(server, request) else server.ask(request)


@defect("S58")
def fast_polls_are_429(server: BadServer, request: Request) -> Reply:
    """Answers the eighth poll of a task within a second with 429, and does not say when to come back."""
    return failure(429, "Too many requests") if _are_many(server, request) else server.ask(request)


@defect("S59")
def parallel_polls_disagree(server: BadServer, request: Request) -> Reply:
    """Answers every second poll that comes within 50 ms of another one from a copy that lags behind."""
    reply = server.ask(request)
    if not is_poll(request) or not data(reply):
        return reply
    now, last = server.clock.now(), server.kept.get(task_id(request), -1.0)
    server.kept[task_id(request)] = now
    is_late = now - last < 0.05 and server.count("together", task_id(request)) % 2
    return with_data(reply, **_QUEUED) if is_late else reply
