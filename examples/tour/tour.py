"""A tour of the API: draw a picture, edit the picture, make a video of it, and ask for the balance.

`safelight exec --polls 1,1 -- python tour.py` runs the tour against the fake, and writes three files here.
"""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

#: Seconds between two polls, and until polling ends.
INTERVAL: Final = 2.5
DEADLINE: Final = 600.0


class Refused(Exception):
    """The API refused a request, or the task failed; the text says why."""


class Stop(NamedTuple):
    """One stop of the tour: the operation, its file, and the balance after it."""

    operation: str
    task_id: str
    url: str
    file: Path
    balance: float


@dataclass(frozen=True, slots=True)
class Studio:
    """Every operation of the API as a method."""

    http: httpx.Client
    url: str

    def draw(self, prompt: str, **parameters: Any) -> tuple[str, str]:
        """Task id and URL of a picture."""
        return self._made("image_generation", prompt=prompt, **parameters)

    def edit(self, prompt: str, image: str, **parameters: Any) -> tuple[str, str]:
        """Task id and URL of a picture, made from a picture at a URL or in Base64."""
        return self._made("image_editing", prompt=prompt, image=image, **parameters)

    def move(self, prompt: str, image: str, **parameters: Any) -> tuple[str, str]:
        """Task id and URL of a video, made from a picture at a URL or in Base64."""
        return self._made("video_generation", prompt=prompt, mode="i2v", image=image, **parameters)

    def balance(self) -> float:
        """Credits that are left."""
        return float(self._call("GET", "user_balance")["balance"])

    def _made(self, operation: str, **request: Any) -> tuple[str, str]:
        task_id = self._call("POST", operation, json=request)["id"]
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            task = self._call("GET", "task_status", params={"task_id": task_id})
            if task["status"] == "completed":
                return task_id, task["result"].get("video_url") or task["result"]["image_url"]
            if task["status"] == "failed":
                raise Refused(f"task {task_id} failed: {task['error']}")
            time.sleep(INTERVAL)
        raise Refused(f"task {task_id} is not done after {DEADLINE:.0f} s")

    def _call(self, method: str, endpoint: str, *, params: dict[str, str] | None = None, **request: Any) -> Any:
        answer = self.http.request(method, self.url, params={"endpoint": endpoint, **(params or {})}, **request).json()
        if not answer["success"]:
            raise Refused(f"{endpoint}: {answer['error']['message']}")
        return answer["data"]


def tour(url: str, api_key: str, folder: Path) -> Iterator[Stop]:
    """Take the tour, stop by stop, and write each result into the folder."""
    with httpx.Client(headers={"x-api-key": api_key}) as http:
        studio = Studio(http, url)

        def stop(operation: str, made: tuple[str, str]) -> Stop:
            task_id, at = made
            file = folder / f"{operation}{Path(httpx.URL(at).path).suffix}"
            file.write_bytes(httpx.get(at).raise_for_status().content)  # without the key: it may be anywhere
            return Stop(operation, task_id, at, file, studio.balance())

        drawn = stop("image_generation", studio.draw("a lighthouse at dusk", workflow="rr3", seed=42))
        yield drawn
        edited = stop("image_editing", studio.edit("make it night", drawn.url, seed=42))
        yield edited
        yield stop("video_generation", studio.move("the light turns", edited.url, seed=42))


def main() -> None:
    """Take the tour at SAFELIGHT_BASE_URL, and print a line for each stop."""
    try:
        for stop in tour(os.environ["SAFELIGHT_BASE_URL"], os.environ["SAFELIGHT_API_KEY"], Path()):
            print(f"{stop.operation:16}  {stop.file}, {stop.balance:g} credits are left")  # noqa: T201 - it is a script
    except (Refused, httpx.HTTPError) as error:
        sys.exit(f"the tour ends here: {error}")


if __name__ == "__main__":
    main()
