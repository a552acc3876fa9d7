"""Good clients with habits of their own, each with the cases in which it shows: `python tests/odd_client.py chunks`."""

import http.client
import json
import sys
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from liars.clients.client import Answer, Bad, Client, Ended, main

#: Name -> client.
ODD: Final[dict[str, type[Client]]] = {}

#: Name -> the cases in which its habit shows.
SHOWS: Final[dict[str, tuple[str, ...]]] = {}


def odd(*cases: str) -> Callable[[type[Client]], type[Client]]:
    """Register a client; its docstring says its habit."""

    def register(made: type[Client]) -> type[Client]:
        name = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in made.__name__).strip("-")
        ODD[name], SHOWS[name] = made, cases
        return made

    return register


@odd("1.1", "3.5")
class AsksFirst(Client):
    """Asks with HEAD and OPTIONS before it asks for anything, as browsers and caches do."""

    def send(self, method: str, url: str, *rest: Any, **more: Any) -> Answer:
        wanted = {"origin": "http://example.test", "access-control-request-method": method}
        super().send("OPTIONS", url, headers=wanted)
        if "/uploads/" in url:
            super().send("HEAD", url)
        return super().send(method, url, *rest, **more)


@odd("1.5", "1.9")
class PutsEndpointLast(Client):
    """Sends `endpoint` after `task_id`, and a space as a plus sign."""

    def target(self, endpoint: str, **query: str) -> str:
        return f"{self.url}?{urlencode({**query, 'endpoint': endpoint})}"


@odd("1.1", "5.3")
class SpeaksHttp10(Client):
    """Speaks HTTP/1.0."""

    def send(self, *rest: Any, **more: Any) -> Answer:
        http.client.HTTPConnection._http_vsn_str = "HTTP/1.0"  # type: ignore[attr-defined]  # noqa: SLF001
        http.client.HTTPConnection._http_vsn = 10  # type: ignore[attr-defined]  # noqa: SLF001
        return super().send(*rest, **more)


@odd("1.1", "1.6", "1.7")
class Chunks(Client):
    """Sends its body in chunks, closes each connection, says its alphabet, and sends its key in both headers."""

    def body(self) -> Any:
        whole = super().body()
        return iter([whole[:10], whole[10:]])

    def post_headers(self) -> dict[str, str]:
        return {**super().post_headers(), "content-type": "application/json; charset=utf-8"}

    def key_headers(self) -> dict[str, str]:
        return {**super().key_headers(), "authorization": f"Bearer {self.key}", "connection": "close"}


@odd("1.1")
class CallsPollsJson(Client):
    """Sends a content type with each poll, which has no body, and asks for its balance first."""

    def submit(self) -> Any:
        self.send("GET", self.target("user_balance"), headers=self.key_headers())
        return super().submit()

    def poll(self) -> dict[str, Any]:
        headers = {**self.key_headers(), "content-type": "application/json"}
        return self.data(self.send("GET", self.poll_target(), headers=headers))


@odd("1.8")
class WritesFloats(Client):
    """Writes each number as one with a point, where the contract allows that."""

    def body(self) -> bytes:
        return json.dumps(
            {name: float(value) if name == "cfg" else value for name, value in self.parameters.items()}
        ).encode()


@odd("1.1", "3.6", "3.7")
class SavesInFolders(Client):
    """Fetches the picture twice, saves it in a folder under another name, through a file beside it, with a log."""

    def fetched(self, url: str) -> tuple[str, Answer]:
        super().fetched(url)
        return super().fetched(url)

    def save(self, url: str, answer: Answer) -> None:
        folder = self.out / "today" / "pictures"
        folder.mkdir(parents=True)
        half = folder / "picture.part"
        half.write_bytes(answer.body)
        half.rename(folder / "Result of today")
        (self.out / "run.log").write_text(url, "utf-8")


@odd("2.5", "4.13", "7.4", "7.5")
class Logs(Client):
    """Logs all that it sees, in colours, with the end of its key; what it says last is a reason."""

    def send(self, method: str, url: str, *rest: Any, **more: Any) -> Answer:
        answer = super().send(method, url, *rest, **more)
        where = urlsplit(url).query
        print(f"\x1b[2mdebug {method} {where} ...{self.key[-4:]} progress NaN undefined [object Object]\x1b[0m")
        return answer


@odd("2.4", "4.1", "5.6")
class SaysItInJson(Client):
    """Says why it failed in JSON on standard error alone."""

    def run(self) -> None:
        try:
            super().run()
        except Ended as end:
            json.dump({"outcome": "failed", "reason": str(end), "task": self.task_id}, sys.stderr)
            sys.exit(end.code)


@odd("5.3")
class ReconnectsAtOnce(Client):
    """Sends a poll once more at once, where the connection died, as HTTP libraries do."""

    def poll(self) -> dict[str, Any]:
        try:
            return super().poll()
        except Bad as problem:
            if "no answer" in str(problem):
                return super().poll()
            raise


@odd("4.4", "4.6")
class TriesAgain(Client):
    """Sends a submit again that was refused before anything was booked."""

    submits_again_after = ("429", "503")


if __name__ == "__main__":
    sys.exit(main(ODD[sys.argv[1]]))
