"""The fake passes every check in each dialect, once the checks are told which it speaks; else they say what differs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest

from checking import Checked, checked
from liars.servers.server import OTHER_KEY, QUICK, RICH
from safelight.conformance.servers.judging import MAX_OF_A_RULE
from safelight.conformance.verdicts import Verdict
from safelight.contracts.dialects import PATHS, dialects
from safelight.contracts.operations import operations
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import in_thread

SUBMITS: Final = tuple(operation.name for operation in operations().values() if operation.is_submit)

#: Dialects that differ from what is published, each in one of two servers.
OTHERS: Final[list[Mapping[str, str]]] = [
    {"vocabulary": "plain", "errors": "string", "limits": "clamp", "requests": "lenient", "path": "earlier"},
    {"errors": "message", "requests": "linux-do", "path": "root"},
]


@contextmanager
def fake(**options: Any) -> Iterator[str]:
    """The entry point of a fake with two keys; `path` and `openapi_paths` are for its server to say."""
    tasks: dict[str, Any] = {**QUICK, **{name: options.pop(name) for name in ("running", "fail") if name in options}}
    path, openapi_paths = options.pop("path", "published"), options.pop("openapi_paths", False)
    settings = Settings(task_profile(**tasks), **{"balance": RICH, **options})
    service = Service(settings=settings, keys=[FAKE_KEY, OTHER_KEY], seed=1, openapi_paths=openapi_paths)
    with in_thread(create_app(service)) as served:
        yield served.url.replace(PATHS["published"], PATHS[path])


def not_passed(found: Checked) -> dict[str, Verdict]:
    return {check: verdict for check, verdict in found.verdicts().items() if verdict is not Verdict.PASS}


def test_each_dialect_is_one_of_these_or_what_is_published() -> None:
    for setting, known in dialects().items():
        assert {next(iter(known)), *(one[setting] for one in OTHERS if setting in one)} == set(known)


@pytest.mark.parametrize("spoken", OTHERS, ids=lambda spoken: "-".join(spoken.values()))
def test_it_passes_every_check_in_each_dialect_that_the_checks_are_told(spoken: Mapping[str, str]) -> None:
    told: dict[str, Any] = {setting: name for setting, name in spoken.items() if setting != "path"}
    with fake(**spoken) as url:
        assert not_passed(checked(url, operations=SUBMITS, **told)) == {}


def test_it_passes_where_it_answers_at_a_path_for_each_operation_too() -> None:
    with fake(openapi_paths=True) as url:
        assert not_passed(checked(url, ["S1*", "S2*", "S4*", "S5?"])) == {}


#: Setting, dialect -> the checks that say so where they are not told of it.
UNTOLD: Final[Mapping[tuple[str, str], set[str]]] = {
    ("vocabulary", "plain"): {"S52", "S55"},
    ("errors", "string"): {"S13"},
    ("errors", "message"): {"S13"},
    ("limits", "clamp"): {"S32", "S33"},
    ("requests", "lenient"): {"S33"},
    ("requests", "linux-do"): {"S31", "S33"},
}


@pytest.mark.parametrize(("setting", "name"), UNTOLD)
def test_where_the_checks_are_not_told_they_say_what_differs(setting: str, name: str) -> None:
    with fake(**{setting: name}) as url:
        found = checked(url, ["S13", "S31", "S32", "S33", "S52", "S55"], max_paid=1)
    assert set(found.caught()) == UNTOLD[setting, name]


#: What looks at a picture: of a task that failed there is none.
OF_PICTURES: Final = ("S56", "S61", "S62")


def test_a_server_whose_tasks_fail_is_not_a_broken_one_and_what_cannot_be_seen_has_no_verdict() -> None:
    with fake(fail=True) as url:
        found = checked(url, operations=SUBMITS)
    assert not_passed(found) == dict.fromkeys(OF_PICTURES, Verdict.INCOMPLETE)
    remarks = {one.trials[0].remark for one in found.results if one.id in OF_PICTURES}
    assert remarks == {"the task failed, so that there is no result"}


def test_where_no_task_can_be_made_what_a_task_shows_has_no_verdict() -> None:
    with fake(down=frozenset({"comfyui"})) as url:
        verdicts = checked(url, ["S5?", "S60", "S63"]).verdicts()
    assert {check for check, verdict in verdicts.items() if verdict is Verdict.FAIL} == {"S50"}
    assert set(verdicts.values()) == {Verdict.FAIL, Verdict.INCOMPLETE}


def test_a_task_that_never_ends_is_one_finding_and_what_comes_after_has_no_verdict() -> None:
    with fake(running="never") as url:
        verdicts = checked(url, ["S5?"], deadline=0.3).verdicts()
    assert {check for check, verdict in verdicts.items() if verdict is Verdict.FAIL} == {"S53"}
    unseen = {check for check, verdict in verdicts.items() if verdict is Verdict.INCOMPLETE}
    assert unseen == {"S54", "S56", "S59"}


@pytest.mark.parametrize(
    ("option", "name", "check"),
    [("errors", "string", "S13"), ("errors", "message", "S13")],
)
def test_another_dialect_than_was_asked_for_is_told_by_its_option(option: str, name: str, check: str) -> None:
    with fake(**{option: name}) as url:
        found = [one for one in checked(url, [check, "S40"]).results if one.id == check]
    assert f"as with --{option} {name}" in found[0].findings[0].sentence
    assert len(found[0].findings) <= 2 * MAX_OF_A_RULE + 1
