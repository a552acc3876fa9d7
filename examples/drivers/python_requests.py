"""One picture from the API, with requests: a driver for `safelight check client`, and an example of a good client.

Each request has a time-out. A submit is sent once: whatever becomes of its answer, it may be paid for. A bad poll says
nothing about the task, so polls go on, with growing gaps, until too many in a row are bad. The key goes to the API
alone. What was paid for is named, so that it can be fetched later: SAFELIGHT_TASK_ID resumes.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests

OK, FAILED, GAVE_UP = 0, 1, 3

#: Bad answers in a row after which nobody knows what has become of a task; and tries to fetch its picture.
MAX_BAD_POLLS, MAX_FETCHES = 6, 4
MAX_ANSWER_BYTES, MAX_PICTURE_BYTES = 1_000_000, 50_000_000
MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"\x1a\x45\xdf\xa3")
DONE, UNDER_WAY = {"completed", "done"}, {"pending", "queued", "processing", "running"}
ENDED = {"failed", "cancelled", "canceled", "error", "expired"}


class Problem(Exception):
    """Why there is no picture, and the exit code for that."""

    def __init__(self, reason: str, code: int = FAILED) -> None:
        super().__init__(reason)
        self.code = code


class Bad(Exception):
    """An answer that says nothing: of what it was about, nothing is known."""

    def __init__(self, reason: str, wait: float = 0) -> None:
        super().__init__(reason)
        self.wait = wait


class Client:
    """One run against the API."""

    def __init__(self, url: str, key: str, *, poll: float, timeout: float, deadline: float) -> None:
        self.url, self.poll, self.timeout = url, poll, timeout
        self.end = time.monotonic() + deadline
        self.api = requests.Session()
        self.api.headers["x-api-key"] = key
        self.task_id = ""

    def picture(self, parameters: dict) -> tuple[str, bytes]:
        """The URL of a new picture, and the picture."""
        self.task_id = self.submit(parameters)
        return self.wait()

    def submit(self, parameters: dict) -> str:
        """The id of a new task. Sent once: an answer that is lost or unreadable may have been an acceptance."""
        try:
            data = self.ask("POST", "image_generation", json=parameters)
        except Bad as bad:
            raise Problem(
                f"no readable answer to the submit ({bad}): it may be paid for, so it is not sent again"
            ) from None
        task_id = data.get("id")
        if not isinstance(task_id, str) or not task_id:
            raise Problem("the submit was accepted, and its answer has no task id")
        return task_id

    def wait(self) -> tuple[str, bytes]:
        """Poll until the task has ended."""
        bad, gap = 0, self.poll
        while True:
            try:
                data = self.ask("GET", "task_status", params={"task_id": self.task_id})
                if data.get("id") not in (self.task_id, None):
                    raise Bad("an answer about another task")
                word = data.get("status")
                if word in DONE:
                    return self.result(data)
                if word in ENDED:
                    raise Problem(f"the task has {word}: {reason_of(data.get('error'))}")
                bad, gap = 0, self.poll
            except Bad as problem:
                bad += 1
                if bad >= MAX_BAD_POLLS:
                    raise Problem(f"its status is unknown: {bad} bad polls in a row, the last one: {problem}") from None
                gap = max(gap * 1.5, problem.wait)
            self.sleep(gap)

    def result(self, data: dict) -> tuple[str, bytes]:
        """The file of a task that is done."""
        result = data.get("result")
        urls = [result.get(name) for name in ("image_url", "video_url")] if isinstance(result, dict) else []
        url = next((url for url in urls if isinstance(url, str) and url), "")
        if not url:
            raise Problem("the task is done, and there is no URL of its picture")
        url = urljoin(self.url, url)
        for number in range(MAX_FETCHES):
            try:
                return url, self.fetch(url)
            except (Bad, requests.RequestException) as bad:
                reason = bad
                self.sleep(self.poll * (number + 1))
        raise Problem(f"the picture cannot be had: {reason}")

    def fetch(self, url: str) -> bytes:
        """A picture, whole. Without the key: it can live anywhere."""
        with requests.get(url, timeout=self.timeout, stream=True) as answer:
            if answer.status_code != 200:
                raise Bad(f"HTTP {answer.status_code}")
            body = read(answer, MAX_PICTURE_BYTES, self.end)
            stated = answer.headers.get("content-length")
        if stated and stated.isdecimal() and len(body) < int(stated):
            raise Bad("it was cut short")
        if not body.startswith(MAGIC):
            raise Bad("this is no picture")
        return body

    def ask(self, method: str, endpoint: str, **more) -> dict:
        """The data of an answer. Raises `Problem` where it is final, and `Bad` where it says nothing."""
        params = {"endpoint": endpoint, **more.pop("params", {})}
        try:
            with self.api.request(
                method, self.url, params=params, timeout=self.timeout, allow_redirects=False, stream=True, **more
            ) as answer:
                body = read(answer, MAX_ANSWER_BYTES, min(self.end, time.monotonic() + self.timeout))
        except requests.RequestException as error:
            raise Bad(type(error).__name__) from None
        status = answer.status_code
        if status == 429 or status >= 500:
            raise Bad(f"HTTP {status}", wait_of(answer.headers.get("retry-after")))
        try:
            envelope = json.loads(body.decode())
        except (ValueError, RecursionError):
            envelope = None
        if status >= 300 and status != 404:
            raise Problem(f"HTTP {status}: {reason_of(envelope)}")
        if not isinstance(envelope, dict):
            raise Bad(f"HTTP {status}, and no JSON object")
        data = envelope.get("data")
        if status == 404:
            raise Bad(f"HTTP 404: {reason_of(envelope)}")
        if envelope.get("success") is not True:
            raise Problem(reason_of(envelope))
        if not isinstance(data, dict):
            raise Bad("an answer without data")
        return data

    def sleep(self, seconds: float) -> None:
        """Wait, within the deadline."""
        if time.monotonic() + seconds > self.end:
            raise Problem("there was no end by the deadline", GAVE_UP)
        time.sleep(seconds)


def read(answer: requests.Response, most: int, end: float) -> bytes:
    """A body, if it is not too large and comes in time."""
    body = b""
    for chunk in answer.iter_content(65_536):
        body += chunk
        if len(body) > most:
            raise Bad(f"an answer of more than {most:,} bytes")
        if time.monotonic() > end:
            raise Bad("an answer that comes too slowly")
    return body


def wait_of(stated: str | None) -> float:
    """The seconds that Retry-After asks for, a number or a date; of nonsense, none."""
    try:
        return float(stated or 0)
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(stated) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return 0


def reason_of(error: object) -> str:
    """What an error says: a text, an object with a message, an envelope with either."""
    if isinstance(error, dict):
        inner = error.get("error") or error.get("message")
        return reason_of(inner)
    text = error if isinstance(error, str) and error else "no reason was given"
    return "".join(letter if letter.isprintable() else " " for letter in text)[:500]


def save(url: str, picture: bytes, folder: Path) -> Path:
    """The file, under the last part of its URL: what is none of a name is left out, so that it stays in the folder."""
    name = "".join(letter for letter in Path(urlsplit(url).path).name if letter.isalnum() or letter in "-_.")
    path = folder / (name.lstrip(".") or "picture.png")
    path.write_bytes(picture)
    return path


def main() -> int:
    told = os.environ
    client = Client(
        told["SAFELIGHT_BASE_URL"],
        told["SAFELIGHT_API_KEY"],
        poll=float(told.get("SAFELIGHT_POLL_SECONDS", "3")),
        timeout=float(told.get("SAFELIGHT_REQUEST_TIMEOUT_SECONDS", "10")),
        deadline=float(told.get("SAFELIGHT_DEADLINE_SECONDS", "120")),
    )
    said = {"outcome": "ok"}
    code = OK
    try:
        if task_id := told.get("SAFELIGHT_TASK_ID"):
            client.task_id = task_id
            url, picture = client.wait()
        else:
            url, picture = client.picture(json.loads(told["SAFELIGHT_PARAMETERS"]))
        file = save(url, picture, Path(told.get("SAFELIGHT_OUT_DIR", ".")))
        said |= {"image_url": url, "file": str(file)}
    except Problem as problem:
        said, code = (
            {"outcome": "gave up" if problem.code == GAVE_UP else "failed", "reason": str(problem)},
            problem.code,
        )
    except KeyboardInterrupt:
        said, code = {"outcome": "interrupted", "reason": "interrupted"}, FAILED
    print(json.dumps({**said, "task_id": client.task_id or None}))
    return code


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
