"""A client of the control routes, on the standard library alone: its methods are named as the routes are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from safelight.contracts.dialects import error_of
from safelight.mockserver.control.access import TOKEN

#: Straight to the fake, whatever proxy the environment names.
_OPENER: Final = build_opener(ProxyHandler({}))
#: Seconds for an answer, beside those that a barrier waits.
_TIMEOUT: Final = 30

Data = dict[str, Any]


@dataclass(eq=False)
class ControlRefused(Exception):
    """The fake refused, and says why."""

    status: int
    reason: str

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}"


class ControlClient:
    """One session of a running fake. `url` is the API's entry point, or anything else at the same host and port.

    Each method gives the data of the answer, raises `ControlRefused` where the fake refuses, and `OSError` where no
    fake answers. The options of a session are the settings of the marker `safelight`.
    """

    def __init__(self, url: str, api_key: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        self._base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/_safelight"
        self._headers = {"x-api-key": api_key, "content-type": "application/json"}
        if token is not None:
            self._headers[TOKEN] = token

    def session(self) -> Data:
        """What the session is like, and how much it has of everything."""
        return self._call("GET", "/session")

    def open(self, **options: Any) -> Data:
        """Open the session, or begin it anew: `queued`, `polls`, `faults`, `clock="virtual"` and so on."""
        return self._call("PUT", "/session", options)

    def close(self) -> Data:
        """Close the session, and forget all that it kept."""
        return self._call("DELETE", "/session")

    def sessions(self) -> list[Data]:
        """The open sessions, each with the fingerprint of its key."""
        return self._call("GET", "/sessions")["sessions"]  # type: ignore[no-any-return]

    def clock(self) -> Data:
        """What time it is in the session."""
        return self._call("GET", "/clock")

    def advance(self, seconds: float) -> Data:
        """Let so much time pass at once."""
        return self._call("POST", "/clock", {"advance": seconds})

    def scale(self, factor: float) -> Data:
        """Let the clock run so many times faster than real time."""
        return self._call("POST", "/clock", {"scale": factor})

    def freeze(self, *, frozen: bool = True) -> Data:
        """Let the clock stand still, or go on."""
        return self._call("POST", "/clock", {"freeze": frozen})

    def tasks(self) -> list[Data]:
        """The tasks that are still kept, in the order of their submits: those of all pages."""
        return self._all("/tasks", "tasks")["tasks"]  # type: ignore[no-any-return]

    def release(self, task_id: str, ticks: int = 1) -> Data:
        """Move a task along whose timeline is in ticks; the task."""
        return self._call("POST", f"/tasks/{quote(task_id, safe='')}/release", {"ticks": ticks})

    def fail(self, task_id: str, reason: str | None = None) -> Data:
        """Let a task fail now; the task."""
        body = {} if reason is None else {"reason": reason}
        return self._call("POST", f"/tasks/{quote(task_id, safe='')}/fail", body)

    def next(self, **spec: Any) -> Data:
        """Settle something about the next task: `queued`, `running`, `fail`, `id`, `axis`, or a whole `timeline`."""
        return self._call("POST", "/next", spec)

    def plan(self) -> Data:
        """The rules with their counts, and the undelivered with their reasons."""
        return self._call("GET", "/plan")

    def put_plan(self, *rules: str) -> Data:
        """Plan this and nothing else; the plan."""
        return self._call("PUT", "/plan", {"rules": rules})

    def add_plan(self, *rules: str) -> Data:
        """Plan this too; the plan."""
        return self._call("POST", "/plan", {"rules": rules})

    def journal(self, **query: Any) -> list[Data]:
        """The exchanges; `operation`, `task_id`, `outcome` and `since` choose among them."""
        return self._all("/journal", "exchanges", query)["exchanges"]  # type: ignore[no-any-return]

    def har(self, **query: Any) -> Data:
        """The exchanges as an HTTP archive."""
        return self._document("GET", f"/journal?{urlencode({**query, 'format': 'har'})}")

    def orphans(self, **query: Any) -> list[Data]:
        """The exchanges without a usable key: for those who have the token."""
        return self._all("/orphans", "exchanges", query)["exchanges"]  # type: ignore[no-any-return]

    def send(self, operation: str, **parameters: Any) -> Data:
        """Send a request of the API; its status and answer."""
        return self._call("POST", "/send", {"operation": operation, "parameters": parameters})

    def operations(self) -> list[Data]:
        """The operations of the API, each with the JSON Schema of its request."""
        return self._call("GET", "/operations")["operations"]  # type: ignore[no-any-return]

    def faults(self) -> Data:
        """The kinds of requests, and the faults with what they do."""
        return self._call("GET", "/faults")

    def wait(self, task_id: str, polls: int = 1, within: float = 10) -> Data:
        """Return once so many polls of a task were answered; raises `ControlRefused` after `within` seconds."""
        body = {"task_id": task_id, "polls": polls, "within": within}
        return self._call("POST", "/wait", body, _TIMEOUT + within)

    def ledger(self) -> Data:
        """The lines of the ledger, what they come to, and what is left."""
        return self._all("/ledger", "entries")

    def openapi(self) -> Data:
        """The routes as an OpenAPI document."""
        return self._document("GET", "/openapi.json")

    def _all(self, path: str, name: str, query: Mapping[str, Any] | None = None) -> Data:
        """The data of an answer whose list `name` comes in pages: of the last one, with the list of them all."""
        found, more = list[Any](), dict(query or {})
        while True:
            data = self._call("GET", f"{path}?{urlencode(more)}")
            found += data[name]
            if data["cursor"] is None:
                return data | {name: found}
            more["cursor"] = data["cursor"]

    def _call(self, method: str, target: str, body: Any = None, timeout: float = _TIMEOUT) -> Data:
        return dict(self._document(method, target, body, timeout)["data"])

    def _document(self, method: str, target: str, body: Any = None, timeout: float = _TIMEOUT) -> Data:
        text = None if body is None else json.dumps(body).encode()
        request = Request(self._base + target, text, self._headers, method=method)  # noqa: S310 - the user's own URL
        try:
            with _OPENER.open(request, timeout=timeout) as answer:
                return dict(json.load(answer))
        except HTTPError as error:
            with error:
                raise ControlRefused(error.code, _reason(error)) from None


def _reason(error: HTTPError) -> str:
    try:
        return error_of(json.load(error)) or HTTPStatus(error.code).phrase
    except ValueError:
        return f"{error.code}, and what was answered is no JSON"
