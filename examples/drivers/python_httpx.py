"""One picture from the API, with httpx and asyncio: a driver for `safelight check client`."""

import asyncio
import json
import os
import signal
import sys
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

POLL, TIMEOUT, DEADLINE = (
    float(os.environ[f"SAFELIGHT_{name}_SECONDS"]) for name in ("POLL", "REQUEST_TIMEOUT", "DEADLINE")
)
URL, OUT = os.environ["SAFELIGHT_BASE_URL"], Path(os.environ["SAFELIGHT_OUT_DIR"])
END = time.monotonic() + DEADLINE
MAX_BAD, MAX_BYTES = 6, 50_000_000
MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"\x1a\x45\xdf\xa3")
task_id = os.environ.get("SAFELIGHT_TASK_ID")


class Failed(Exception):
    """There is no picture, and why."""


class Bad(Exception):
    """An answer that says nothing about the task."""


async def main() -> int:
    global task_id
    said, code = {"outcome": "ok"}, 0
    key = {"x-api-key": os.environ["SAFELIGHT_API_KEY"]}
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT) as http, asyncio.timeout(DEADLINE):
            task_id = task_id or await submit(http, key)
            said["file"] = str(await fetch(http, await wait(http, key)))
    except (Failed, httpx.HTTPError, Bad) as problem:
        said, code = {"outcome": "failed", "reason": why(problem)}, 1
    except TimeoutError:
        said, code = {"outcome": "gave up", "reason": "no end by the deadline"}, 3
    except asyncio.CancelledError:
        said, code = {"outcome": "interrupted"}, 1
    print(json.dumps({**said, "task_id": task_id}))
    return code


async def submit(http: httpx.AsyncClient, key: dict) -> str:
    """The id of a new task. Sent once, since an answer that is lost may have been paid for."""
    try:
        data = await ask(http, "POST", key, "image_generation", json=json.loads(os.environ["SAFELIGHT_PARAMETERS"]))
    except (httpx.HTTPError, Bad) as problem:
        raise Failed(
            f"no answer to the submit ({plain(problem) or type(problem).__name__}); it is not sent again"
        ) from None
    if not isinstance(data.get("id"), str) or not data["id"]:
        raise Failed("the answer to the submit has no task id")
    return data["id"]


async def wait(http: httpx.AsyncClient, key: dict) -> str:
    """The URL of the picture, once the task is done."""
    bad, gap = 0, POLL
    while True:
        try:
            data = await ask(http, "GET", key, "task_status", params={"task_id": task_id})
            match data.get("id"), data.get("status"):
                case (str(other), _) if other != task_id:
                    raise Bad("an answer about another task")
                case _, "completed" | "done":
                    return url_of(data.get("result"))
                case _, "failed" | "cancelled" as word:
                    raise Failed(f"the task has {word}: {reason_of(data.get('error'))}")
            bad, gap = 0, POLL
        except (httpx.HTTPError, Bad) as problem:
            bad, gap = bad + 1, max(gap * 1.5, getattr(problem, "wait", 0))
            if bad == MAX_BAD:
                raise Failed(
                    f"the status of task {task_id} is unknown: {plain(problem) or type(problem).__name__}"
                ) from None
        await asyncio.sleep(gap)


async def fetch(http: httpx.AsyncClient, url: str) -> Path:
    """The saved picture. The key is not sent: the picture can live anywhere."""
    for number in range(1, 5):
        try:
            _, body = await whole(http, "GET", str(httpx.URL(URL).join(url)), {})
            if not body.startswith(MAGIC):
                raise Bad("this is no picture")
            file = OUT / f"{''.join(filter(str.isalnum, task_id))}.png"
            file.write_bytes(body)
        except (httpx.HTTPError, Bad) as problem:
            reason = problem
            await asyncio.sleep(POLL * number)
        else:
            return file
    raise Failed(f"the picture cannot be had: {why(reason)}")


async def ask(
    http: httpx.AsyncClient, method: str, key: dict, endpoint: str, params: dict | None = None, **more
) -> dict:
    """The data of an answer. Raises `Failed` where it is final, `Bad` where it says nothing."""
    query = {"endpoint": endpoint, **(params or {})}
    status, body = await whole(http, method, URL, key, params=query, good=range(200, 500), **more)
    try:
        envelope = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise (Failed if 300 <= status < 500 else Bad)(f"HTTP {status}, and no JSON") from None
    if status == 404 or not isinstance(envelope, dict):
        raise Bad(f"HTTP {status}: {reason_of(envelope)}")
    if envelope.get("success") is not True:
        raise Failed(reason_of(envelope))
    if not isinstance(envelope.get("data"), dict):
        raise Bad("an answer without data")
    return envelope["data"]


async def whole(http, method, url, headers, *, good=(200,), **more) -> tuple[int, bytes]:
    """Status and body of an answer, within the time for one request."""
    async with asyncio.timeout(TIMEOUT * 2), http.stream(method, url, headers=headers, **more) as answer:
        if answer.status_code not in good or answer.status_code == 429:
            bad = Bad(f"HTTP {answer.status_code}")
            bad.wait = seconds_of(answer.headers.get("retry-after"))
            raise bad
        body = b""
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise Bad("an answer that is too large")
        return answer.status_code, body


def seconds_of(stated: str | None) -> float:
    """The seconds that Retry-After asks for."""
    try:
        return float(stated or 0)
    except ValueError:
        try:
            return parsedate_to_datetime(stated).timestamp() - time.time()
        except ValueError:
            return 0


def url_of(result: object) -> str:
    """The URL of a result."""
    urls = [result.get(name) for name in ("image_url", "video_url")] if isinstance(result, dict) else []
    for url in urls:
        if isinstance(url, str) and url:
            return url
    raise Failed("the task is done, and there is no URL of its picture")


def reason_of(error: object) -> str:
    """The text of an error, wherever it stands."""
    while isinstance(error, dict):
        error = error.get("error") or error.get("message")
    return plain(error) if isinstance(error, str) and error else "no reason was given"


def why(problem: Exception) -> str:
    """What a problem says, or how it is called."""
    return plain(problem) or type(problem).__name__


def plain(text: object) -> str:
    """A text without control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))[:500]


async def interruptible() -> int:
    """`main`, which SIGTERM cancels."""
    task = asyncio.ensure_future(main())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


sys.exit(asyncio.run(interruptible()))
