"""Lamp, a client of a submit-and-poll image API: `Lamp(url, api_key).draw("a lighthouse")` is a picture.

An accepted submit is paid for, so a submit is sent again only where it was certainly not accepted. A poll costs
nothing, so a bad poll is survived. Generators of steps say what to do next; `draw` and `draw_async` carry them out.
"""

import asyncio
import ssl
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple, TypeAlias, TypeVar

import httpx

#: Tries of a submit that was refused, polls in a row that say nothing, and tries of a picture.
MOST_SUBMITS: Final = 3
MOST_BAD_POLLS: Final = 5
MOST_DOWNLOADS: Final = 4

#: A submit that is answered so was not accepted: not now, or not at all.
BUSY: Final = frozenset({429, 503})
NO: Final = frozenset({400, 401, 402, 403, 404, 405, 413, 422})

#: But a task or a picture can be there a little later.
LATE: Final = 404


@dataclass(eq=False)
class LampError(Exception):
    """Why there is no picture, and of which task if there is one."""

    reason: str
    task_id: str | None = None
    words: ClassVar[str] = "there is no picture"

    def __str__(self) -> str:
        return f"{self.words}{f' (task {self.task_id!r})' if self.task_id else ''}: {self.reason}"


class Refused(LampError):
    """The API refused the request, and would refuse it again."""

    words = "the API refused"


class Unclear(LampError):
    """A submit was sent, and its answer was lost: the task may exist, and be paid for."""

    words = "the submit may be accepted and paid for, so it is not sent again"


class Failed(LampError):
    """The task ended without a picture."""

    words = "the task failed"


class NoPicture(LampError):
    """The task is done, and its picture cannot be fetched."""

    words = "the task is done, but there is no picture"


class GaveUp(LampError):
    """The deadline is over, and the task may still end: poll it by its id."""

    words = "gave up on a task that may still end"


class Picture(NamedTuple):
    """A finished picture."""

    task_id: str
    url: str
    content: bytes


class Step(NamedTuple):
    """What to do next: wait so many seconds, then send this request."""

    pause: float
    request: dict[str, Any]


#: What comes of a request, and what asks for it until it has something of its own to say.
UNANSWERED: Final = (httpx.RequestError, httpx.InvalidURL)
Answer: TypeAlias = httpx.Response | httpx.RequestError | httpx.InvalidURL
_T = TypeVar("_T")
Asking: TypeAlias = Generator[Step, Answer, _T]


@dataclass(frozen=True, slots=True)
class Lamp:
    """A client with a key, for a URL that ends in `index.php`."""

    url: str
    api_key: str = field(repr=False)
    #: Seconds between two polls, until polling ends, and until one request is given up.
    interval: float = 2.5
    deadline: float = 300.0
    timeout: float = 10.0

    def draw(self, prompt: str | dict[str, Any], **parameters: Any) -> Picture:
        """A picture of what the prompt says. Raises `LampError`."""
        steps = self._steps({"prompt": prompt, **parameters})
        with httpx.Client(timeout=self.timeout, verify=_tls()) as http:
            step = next(steps)
            while isinstance(step, Step):
                time.sleep(step.pause)
                try:
                    step = steps.send(http.request(**step.request))
                except UNANSWERED as error:
                    step = steps.send(error)
        return step

    async def draw_async(self, prompt: str | dict[str, Any], **parameters: Any) -> Picture:
        """The same for asyncio."""
        steps = self._steps({"prompt": prompt, **parameters})
        async with httpx.AsyncClient(timeout=self.timeout, verify=_tls()) as http:
            step = next(steps)
            while isinstance(step, Step):
                await asyncio.sleep(step.pause)
                try:
                    step = steps.send(await http.request(**step.request))
                except UNANSWERED as error:
                    step = steps.send(error)
        return step

    def _steps(self, document: dict[str, Any]) -> Generator[Step | Picture, Answer, None]:
        task_id = yield from self._submit(document)
        url = yield from self._poll(task_id)
        yield Picture(task_id, url, (yield from self._download(url, task_id)))

    def _submit(self, document: dict[str, Any]) -> Asking[str]:
        """The id of a task."""
        told = 0.0
        for tries in range(MOST_SUBMITS):
            pause = max(self._gap(tries), told)
            answer = yield Step(pause, self._call("POST", "image_generation", json=document))
            told = _wait(answer)
            if not _is_busy(answer):
                break
        match _data(answer):
            case {"id": str(task_id)} if task_id:
                return task_id
        raise (Refused if _is_busy(answer) or _is_no(answer) else Unclear)(_reason(answer))

    def _poll(self, task_id: str) -> Asking[str]:
        """The URL of its picture."""
        request = self._call("GET", "task_status", task_id=task_id)
        end, bad, last, told = time.monotonic() + self.deadline, 0, "it was never polled", 0.0
        while (left := end - time.monotonic()) > told:
            answer = yield Step(min(max(self.interval * 2**bad, told), left), request)
            told = _wait(answer)
            match _data(answer):
                case {"id": other} if other != task_id:
                    bad, last = bad + 1, "the answer is about another task"
                case {"status": "completed", "result": {"image_url": str(url)}} if url:
                    return url
                case {"status": "completed"}:
                    raise NoPicture("the API names no URL", task_id)
                case {"status": "failed", **rest}:
                    raise Failed(_message(rest) or "the API does not say why", task_id)
                case {"status": str(word)}:
                    bad, last = 0, f"it is {word}"
                case _:
                    bad, last = bad + 1, _reason(answer)
            if bad and _is_no(answer, but=LATE):
                raise Refused(last, task_id)
            if bad == MOST_BAD_POLLS:
                raise GaveUp(f"{bad} polls in a row said nothing of it, at last {last}", task_id)
        raise GaveUp(f"{self.deadline:g} s are over, and {last}", task_id)

    def _download(self, url: str, task_id: str) -> Asking[bytes]:
        """The picture itself. It may be on another host: no key is sent."""
        for tries in range(MOST_DOWNLOADS):
            answer = yield Step(self._gap(tries), {"method": "GET", "url": url, "follow_redirects": True})
            match answer:
                case httpx.Response(is_success=True, headers={"content-type": str(kind)}) if kind.startswith("image/"):
                    return answer.content
        raise NoPicture(_reason(answer), task_id)

    def _call(self, method: str, endpoint: str, *, json: Any = None, **query: str) -> dict[str, Any]:
        headers, params = {"x-api-key": self.api_key}, {"endpoint": endpoint, **query}
        return {"method": method, "url": self.url, "params": params, "json": json, "headers": headers}

    def _gap(self, tries: int) -> float:
        """Seconds before the next try: none before the first, then more and more."""
        return self.interval * 2 ** (tries - 1) if tries else 0.0


@cache
def _tls() -> ssl.SSLContext:
    """The certificates to trust. Made once: making it takes longer than ten requests."""
    return httpx.create_ssl_context()


def _wait(answer: Answer) -> float:
    """Seconds that the API asks to wait; none where it does not say a number of them."""
    told = answer.headers.get("retry-after", "") if isinstance(answer, httpx.Response) else ""
    return float(told) if told.isdecimal() else 0.0


def _is_busy(answer: Answer) -> bool:
    """The request was not accepted, and another try may be."""
    if isinstance(answer, httpx.Response):
        return answer.status_code in BUSY
    return isinstance(answer, httpx.ConnectError | httpx.ConnectTimeout)


def _is_no(answer: Answer, *, but: int | None = None) -> bool:
    """The request was not accepted, and another try would not be either."""
    if isinstance(answer, httpx.Response):
        return answer.status_code in NO - {but} or (answer.is_success and _envelope(answer).get("success") is False)
    return isinstance(answer, httpx.UnsupportedProtocol | httpx.InvalidURL)


def _envelope(answer: Answer) -> dict[str, Any]:
    """The JSON of an answer; empty where it has none."""
    try:
        document = answer.json() if isinstance(answer, httpx.Response) else None
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _data(answer: Answer) -> dict[str, Any]:
    """The `data` of an answer that says `success`."""
    match answer, _envelope(answer):
        case httpx.Response(is_success=True), {"success": True, "data": dict(data)}:
            return data
    return {}


def _message(document: dict[str, Any]) -> str:
    """The message of an error of the API."""
    match document:
        case {"error": {"message": str(text)}} | {"error": str(text)} | {"message": str(text)}:
            return text
    return ""


def _reason(answer: Answer) -> str:
    """The answer in a sentence, where it is not the expected one."""
    if isinstance(answer, httpx.Response):
        return f"{answer.status_code} {_message(_envelope(answer)) or 'with nothing that can be used'}"
    return f"{type(answer).__name__} {answer}".rstrip()
