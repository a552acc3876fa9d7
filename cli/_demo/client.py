"""Orders, and a client as one would write it for the service: it knows a URL, a key and the published words."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from safelight.contracts import workflows

#: Seconds between two polls of a task, of the service's time: what it asks for.
PAUSE: Final = 2.5
#: Polls after which a client gives a task up.
_MAX_POLLS: Final = 60


_BOATS: Final = "paper boats on a canal after the first rain of summer"

#: Workflow -> what is asked of it. With z-image `cfg` is legal and without effect: the journal says so.
_WISHES: Final[Mapping[str, Mapping[str, Any]]] = {
    "default": {"prompt": "a lighthouse whose beam is folded letters", "width": 768, "height": 1024},
    "anime": {"prompt": "a night train over flooded rice fields", "width": 512, "height": 640, "cfg": 7},
    "z-image": {"prompt": _BOATS, "width": 1024, "height": 768, "cfg": 4},
    "rr3": {"prompt": "a tide pool the size of a city", "width": 832, "height": 1216, "steps": 20},
    "grok": {"prompt": "a fox asleep in a crater of the moon at earthrise"},
}

#: For a workflow that is newer than this table.
_ANY_WISH: Final = {"prompt": "a map of a country that was drawn before it was found"}

_TEAPOT: Final = {"prompt": "a perfectly ordinary teapot, life size", "width": 768, "height": 640}


class Trouble(Exception):
    """The demo cannot go on, for the reason given."""


@dataclass(frozen=True, slots=True)
class Order:
    """A picture to ask for: the name it goes by here, the document to submit, and why it will fail, if it will."""

    name: str
    document: Mapping[str, Any]
    doom: str | None = None


@dataclass(eq=False, slots=True)
class Job:
    """An order under way: what the answers said so far."""

    order: Order
    task_id: str = ""
    #: The status as it stood on the wire.
    word: str = ""
    percent: int = 0
    #: Why it failed.
    reason: str = ""
    #: Where its picture was saved.
    picture: Path | None = None


def orders() -> list[Order]:
    """One order for each workflow, in the contract's order, and the doomed one."""
    doomed = Order("doomed", _TEAPOT, doom="Upstream error: the engine ran out of memory")
    return [*(Order(name, {**_WISHES.get(name, _ANY_WISH), "workflow": name}) for name in workflows()), doomed]


async def develop(
    url: str, key: str, jobs: Sequence[Job], folder: Path, *, pause: float, changed: Callable[[Job], None]
) -> None:
    """Submit all jobs in a burst, then follow all of them at once until each has its picture or its reason.

    `changed` hears of each job that an answer came for; `pause` is in seconds.
    """
    # A proxy of the environment has no business between two ends of one process.
    async with httpx.AsyncClient(headers={"x-api-key": key}, timeout=10, trust_env=False) as http:
        client = _Client(http, url, folder, pause, changed)
        try:
            for job in jobs:  # in order, some milliseconds apart: the fake draws ids and timelines by order of arrival
                await client.submit(job)
            await asyncio.gather(*map(client.follow, jobs))
        except httpx.HTTPError as error:
            raise Trouble(f"the connection to the fake broke off: {error!r}") from None


@dataclass(frozen=True, slots=True)
class _Client:
    """Submits, polls and downloads."""

    http: httpx.AsyncClient
    url: str
    folder: Path
    pause: float
    changed: Callable[[Job], None]

    async def submit(self, job: Job) -> None:
        query = {"endpoint": "image_generation"}
        data = _data(await self.http.post(self.url, params=query, json=job.order.document))
        job.task_id, job.word = data["id"], data["status"]
        self.changed(job)

    async def follow(self, job: Job) -> None:
        for _ in range(_MAX_POLLS):
            await asyncio.sleep(self.pause)
            data = await self._poll(job)
            if job.word == "completed":
                await self._download(job, data["result"]["image_url"])
            self.changed(job)
            if job.word in ("completed", "failed"):  # after which nothing changes
                return
        raise Trouble(f"task {job.task_id} is still {job.word} after {_MAX_POLLS} polls")

    async def _poll(self, job: Job) -> dict[str, Any]:
        query = {"endpoint": "task_status", "task_id": job.task_id}
        data = _data(await self.http.get(self.url, params=query))
        job.word, job.reason = data["status"], data.get("error") or ""
        job.percent = 100 if job.word == "completed" else data.get("progress", job.percent)
        return data

    async def _download(self, job: Job, url: str) -> None:
        answer = await self.http.get(url)
        answer.raise_for_status()
        job.picture = self.folder / f"{job.order.name}.png"
        job.picture.write_bytes(answer.content)


def _data(answer: httpx.Response) -> dict[str, Any]:
    """What is inside the envelope, or `Trouble` with the server's own words."""
    envelope = answer.json()
    if not envelope["success"]:
        raise Trouble(f"the fake refused a request with {answer.status_code}: {envelope['error']['message']}")
    data: dict[str, Any] = envelope["data"]
    return data
