"""A good client of few lines, in the standard library alone: each bad one changes one thing of it."""

import gzip
import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urljoin, urlsplit

MAX_BYTES = 1_000_000
MAX_PICTURE_BYTES = 10_000_000
MAX_BAD_POLLS = 6


class Ended(Exception):
    """The run is over, with this exit code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Bad(Exception):
    """An answer that says nothing of what it was about."""

    wait = 0.0


class Answer(NamedTuple):
    status: int
    headers: Any
    body: bytes


class Job(NamedTuple):
    """What a client is asked to do: as `safelight.conformance.clients.calling.Job`, which a driver cannot import."""

    url: str
    api_key: str
    parameters: dict[str, Any]
    poll_seconds: float
    request_timeout_seconds: float
    deadline_seconds: float
    out_dir: Path
    task_id: str | None = None


def job_of(environment: Mapping[str, str]) -> Job:
    """The job that a driver is told of."""
    told = {name.removeprefix("SAFELIGHT_"): value for name, value in environment.items()}
    return Job(
        url=told["BASE_URL"],
        api_key=told["API_KEY"],
        parameters=json.loads(told["PARAMETERS"]),
        poll_seconds=float(told.get("POLL_SECONDS", "0.2")),
        request_timeout_seconds=float(told.get("REQUEST_TIMEOUT_SECONDS", "1")),
        deadline_seconds=float(told.get("DEADLINE_SECONDS", "5")),
        out_dir=Path(told["OUT_DIR"]),
        task_id=told.get("TASK_ID"),
    )


class Client:
    """One run; the names of its methods say what a bad client does otherwise."""

    has_timeout = True
    max_bytes = MAX_BYTES
    #: The answers after which another submit is sent, which is never right, and how often.
    submits_again_after: tuple[object, ...] = ()
    max_submits = 3
    redirects = 0

    def __init__(self, job: Job) -> None:
        self.url, self.key, self.out = job.url, job.api_key, job.out_dir
        self.parameters = dict(job.parameters)
        self.interval = job.poll_seconds
        self.timeout = job.request_timeout_seconds if self.has_timeout else None
        self.end = time.monotonic() + job.deadline_seconds
        self.task_id: Any = job.task_id

    def run(self) -> None:
        """A picture, or `Ended`."""
        self.task_id = self.task_id or self.submit()
        self.save(*self.fetched(self.result_url(self.wait_for_end())))

    # The submit

    def submit(self) -> Any:
        """The id of a new task."""
        for number in range(1, self.max_submits + 1):
            try:
                return self.id_of(self.data(self.post()))
            except Bad as bad:
                if number == self.max_submits or not self.is_sent_again(bad):
                    raise Ended(1, f"no readable answer to the submit: {bad}") from None
                self.pause_before_submit(number, bad)
        raise AssertionError

    def is_sent_again(self, bad: Bad) -> bool:
        """Whether another submit is sent after this."""
        return any(str(after) in str(bad) for after in self.submits_again_after)

    def pause_before_submit(self, number: int, bad: Bad) -> None:
        """Wait, longer each time."""
        time.sleep(max(bad.wait, self.interval * 2**number))

    def post(self) -> Answer:
        """The answer to a submit."""
        return self.send("POST", self.target("image_generation"), self.body(), self.post_headers())

    def body(self) -> bytes:
        """The request, as JSON."""
        return json.dumps(self.parameters).encode()

    def post_headers(self) -> dict[str, str]:
        """Those of a submit."""
        return {"content-type": "application/json", **self.key_headers()}

    def key_headers(self) -> dict[str, str]:
        """The key."""
        return {"x-api-key": self.key}

    def id_of(self, data: dict[str, Any]) -> Any:
        """The id in the answer to a submit."""
        task_id = data.get("id")
        if not isinstance(task_id, str) or not task_id:
            raise Ended(1, "the answer to the submit has no task id")
        return task_id

    # The polls

    def wait_for_end(self) -> dict[str, Any]:
        """The answer that says done."""
        bad, gap, last = 0, self.interval, ""
        while True:
            try:
                data = self.poll()
                if self.is_end(data):
                    return data
                bad, gap = 0, self.interval
            except Bad as problem:
                bad, gap, last = bad + 1, self.longer(gap, problem), str(problem)
                if self.is_enough(bad, problem):
                    raise Ended(1, f"the status of task {self.task_id} is unknown: {last}") from None
            self.sleep(gap)

    def longer(self, gap: float, problem: Bad) -> float:
        """The gap after a bad poll."""
        return max(gap * 1.5, problem.wait)

    def is_enough(self, bad: int, problem: Bad) -> bool:
        """After so many bad polls in a row, nobody knows."""
        return bad >= MAX_BAD_POLLS

    def sleep(self, seconds: float) -> None:
        """Wait, within the deadline."""
        if time.monotonic() + seconds > self.end:
            self.give_up()
        time.sleep(seconds)

    def give_up(self) -> None:
        """The deadline has come."""
        raise Ended(3, f"no end of task {self.task_id} by the deadline")

    def poll(self) -> dict[str, Any]:
        """The data of the answer to a poll."""
        return self.data(self.send("GET", self.poll_target(), headers=self.key_headers()))

    def poll_target(self) -> str:
        """The target of a poll."""
        return self.target("task_status", task_id=self.task_id)

    def is_end(self, data: dict[str, Any]) -> bool:
        """Whether the task is done; one that has failed is the end of all."""
        if data.get("id") != self.task_id:
            raise Bad("an answer about another task")
        match str(data.get("status")).lower():
            case "completed" | "done":
                return True
            case "failed" | "cancelled" as word:
                raise Ended(1, f"the task has {word}: {self.reason(data.get('error'))}")
        return False

    # The result

    def result_url(self, data: dict[str, Any]) -> str:
        """Where the picture is."""
        result = data.get("result")
        url = result.get("image_url") if isinstance(result, dict) else None
        if not isinstance(url, str) or not url:
            raise Ended(1, "the task is done, and there is no URL of its picture")
        return urljoin(self.url, url)

    def fetched(self, url: str) -> tuple[str, Answer]:
        """The picture, asked for a few times."""
        for number in range(1, 5):
            try:
                answer = self.send("GET", url, headers=self.picture_headers(), most=MAX_PICTURE_BYTES)
                self.check_picture(answer)
                return url, answer  # noqa: TRY300
            except Bad as problem:
                last = problem
            self.sleep(self.interval * number)
        raise Ended(1, f"the picture cannot be had: {last}")

    def picture_headers(self) -> dict[str, str]:
        """Without the key: a picture can live anywhere."""
        return {}

    def check_picture(self, answer: Answer) -> None:
        """Raises `Bad` where it is none, or not whole."""
        if answer.status != 200:
            raise Bad(f"HTTP {answer.status}")
        if not answer.body.startswith(b"\x89PNG"):
            raise Bad("this is no picture")

    def file_name(self, url: str, answer: Answer) -> str:
        """What the file is called."""
        return "".join(filter(str.isalnum, Path(urlsplit(url).path).stem)) + ".png"

    def save(self, url: str, answer: Answer) -> None:
        """Write the picture."""
        (self.out / self.file_name(url, answer)).write_bytes(answer.body)

    # HTTP

    def target(self, endpoint: str, **query: str) -> str:
        """A URL of the API."""
        return f"{self.url}?{urlencode({'endpoint': endpoint, **query}, quote_via=quote)}"

    def send(
        self, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None, most: int = 0
    ) -> Answer:
        """The answer, whole. Raises `Bad` where none comes, or not in time."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=self.timeout)
        try:
            connection.request(method, f"{parts.path}?{parts.query}".rstrip("?"), body, headers or {})
            found = connection.getresponse()
            most = most or self.max_bytes
            text = found.read(most + 1)
            if len(text) <= most and found.length:
                raise Bad("the answer was cut short")
            if len(text) > most:
                raise Bad("the answer is too large")
        except TimeoutError:
            raise Bad("time-out") from None
        except (OSError, http.client.HTTPException) as error:
            raise Bad(f"no answer: {type(error).__name__}") from None
        finally:
            connection.close()
        return Answer(found.status, found.headers, text)

    def data(self, answer: Answer) -> dict[str, Any]:
        """The data of an envelope. Raises `Ended` where an error is final, `Bad` where it says nothing."""
        self.check_status(answer)
        envelope = self.envelope(answer)
        if not envelope.get("success"):
            raise Ended(1, self.reason(envelope))
        data = envelope.get("data")
        if not isinstance(data, dict):
            raise Bad("no data")
        return data

    def check_status(self, answer: Answer) -> None:
        """Raises `Bad` or `Ended` where the status is none of success."""
        if answer.status in {404, 429} or answer.status >= 500:
            bad = Bad(f"HTTP {answer.status}")
            bad.wait = self.wait_of(answer.headers.get("retry-after"))
            raise bad
        if answer.status >= 300:
            raise Ended(1, self.reason(self.envelope(answer, quiet=True)))

    def envelope(self, answer: Answer, *, quiet: bool = False) -> dict[str, Any]:
        """The JSON object of an answer."""
        try:
            found = json.loads(answer.body)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return found
        if quiet:
            return {}
        raise Bad("no JSON")

    def wait_of(self, stated: str | None) -> float:
        """The seconds that Retry-After asks for."""
        try:
            return float(stated or 0)
        except ValueError:
            try:
                return parsedate_to_datetime(stated or "").timestamp() - time.time()
            except ValueError:
                return 0

    def reason(self, error: Any) -> str:
        """What an error says, on one line."""
        while isinstance(error, dict):
            error = error.get("error") or error.get("message")
        text = error if isinstance(error, str) and error else "no reason was given"
        return "".join(letter if letter.isprintable() else " " for letter in text)


def unpacked(answer: Answer) -> bytes:
    """The body, whatever it comes to."""
    return gzip.decompress(answer.body) if answer.headers.get("content-encoding") == "gzip" else answer.body


def main(made: type[Client]) -> int:
    """Run a client, and say what became of it."""

    def interrupted(*_: object) -> None:
        raise Ended(1, f"interrupted; the task is {client.task_id}")

    client = made(job_of(os.environ))
    signal.signal(signal.SIGTERM, interrupted)
    try:
        client.run()
    except Ended as ended:
        print(ended)
        return ended.code
    print(client.task_id)
    return 0


if __name__ == "__main__":
    sys.exit(main(Client))
