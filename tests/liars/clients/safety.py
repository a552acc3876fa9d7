"""Mistakes about safety."""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from liars.clients.client import Answer, Client, unpacked
from liars.clients.liar import liar


@liar("7.1")
class FollowsWithTheKey(Client):
    """Follows a redirect to another origin with the key."""

    def send(self, method: str, url: str, *more: Any, **named: Any) -> Answer:
        answer = super().send(method, url, *more, **named)
        if answer.status in (302, 307, 308):
            return super().send(method, urljoin(url, answer.headers["location"]), *more, **named)
        return answer


@liar("7.2")
class TakesTheServersName(Client):
    """Saves under the name that the server gives."""

    def save(self, url: str, answer: Answer) -> None:
        named = (answer.headers.get("content-disposition") or "").partition('filename="')[2].rstrip('"')
        path = self.out / (named or unquote(urlsplit(url).path.rpartition("/")[2]))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(answer.body)


@liar("7.3")
class ReadsEverything(Client):
    """Reads and unpacks whatever comes."""

    max_bytes = 10**9

    def envelope(self, answer: Answer, *, quiet: bool = False) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(unpacked(answer).decode().encode("utf-32").decode("utf-32"))
        return found


@liar("7.4")
class PassesEscapesOn(Client):
    """Prints a reason as it is."""

    def reason(self, error: Any) -> str:
        while isinstance(error, dict):
            error = error.get("error") or error.get("message")
        return str(error)


@liar("7.5")
class PrintsItsHeaders(Client):
    """Prints what it sends, key and all."""

    def key_headers(self) -> dict[str, str]:
        headers = super().key_headers()
        print("headers:", headers, file=sys.stderr)
        return headers


@liar("7.5")
class WritesALog(Client):
    """Writes the key into a log file."""

    def send(self, method: str, url: str, *more: Any, **named: Any) -> Answer:
        with Path(self.out, "debug.log").open("a", encoding="utf-8") as log:
            log.write(f"{method} {url} {more} {named}\n")
        return super().send(method, url, *more, **named)
