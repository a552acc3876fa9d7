"""A client as one would write it for the service: it knows a URL, a key and the published words, and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Self

    from safelight.cli._demo.orders import Order

#: The words after which nothing changes.
FINAL_WORDS: Final = frozenset({"completed", "failed"})

#: Seconds between two polls of a task, of the service's time: what it asks for.
PAUSE: Final = 2.5

#: Polls after which a client gives a task up.
_MOST_POLLS: Final = 60


@dataclass(eq=False)
class Trouble(Exception):
    """The demo cannot go on, for the reason given."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False, slots=True)
class Job:
    """An order under way: what the client was told so far."""

    order: Order
    task_id: str = ""
    #: The status as it stood on the wire.
    word: str = ""
    percent: int = 0
    #: Why it failed.
    reason: str = ""
    #: Where its picture was saved.
    picture: Path | None = None


class Client:
    """Submits, polls and downloads. `told` hears of each job that an answer came for."""

    def __init__(self, url: str, key: str, *, pause: float, told: Callable[[Job], None]) -> None:
        # A proxy of the environment has no business between two ends of one process.
        self._http = httpx.AsyncClient(headers={"x-api-key": key}, timeout=10, trust_env=False)
        self._url, self._pause, self._told = url, pause, told

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def develop(self, jobs: Sequence[Job], folder: Path) -> None:
        """Submit all jobs in a burst, then follow all of them at once until each has its picture or its reason."""
        try:
            for job in jobs:  # in order, some milliseconds apart: the fake draws ids and lives by order of arrival
                await self._submit(job)
            await asyncio.gather(*(self._follow(job, folder) for job in jobs))
        except httpx.HTTPError as error:
            raise Trouble(f"the connection to the fake broke off: {error!r}") from None

    async def _submit(self, job: Job) -> None:
        answer = await self._http.post(self._url, params={"endpoint": "image_generation"}, json=job.order.document)
        data = _data(answer)
        job.task_id, job.word = data["id"], data["status"]
        self._told(job)

    async def _follow(self, job: Job, folder: Path) -> None:
        for _ in range(_MOST_POLLS):
            await asyncio.sleep(self._pause)
            data = await self._poll(job)
            if job.word == "completed":
                await self._download(job, data["result"]["image_url"], folder)
            self._told(job)
            if job.word in FINAL_WORDS:
                return
        raise Trouble(f"task {job.task_id} is still {job.word} after {_MOST_POLLS} polls")

    async def _poll(self, job: Job) -> dict[str, Any]:
        query = {"endpoint": "task_status", "task_id": job.task_id}
        data = _data(await self._http.get(self._url, params=query))
        job.word, job.reason = data["status"], data.get("error") or ""
        job.percent = 100 if job.word == "completed" else data.get("progress", job.percent)
        return data

    async def _download(self, job: Job, url: str, folder: Path) -> None:
        answer = await self._http.get(url)
        answer.raise_for_status()
        path = folder / f"{job.order.name}.png"
        path.write_bytes(answer.content)
        job.picture = path


def _data(answer: httpx.Response) -> dict[str, Any]:
    """What is inside the envelope, or `Trouble` with the server's own words."""
    envelope = answer.json()
    if not envelope["success"]:
        raise Trouble(f"the fake refused a request with {answer.status_code}: {envelope['error']['message']}")
    data: dict[str, Any] = envelope["data"]
    return data
