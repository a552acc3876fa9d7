"""The pictures of docs/page.md and of the home page: `python tests/mockserver/control/picture.py` takes them."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from safelight.mockserver.control.control import Control
from safelight.mockserver.model.clock import AdjustableClock
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import in_thread

PICTURES: Final = Path(__file__).parents[3] / "docs" / "pictures"


@dataclass(frozen=True, slots=True)
class Picture:
    """What is seen: the size of the window, its light, and what is done first."""

    width: int
    height: int
    scheme: str
    clicks: tuple[str, ...] = ()


#: File -> picture.
SHOWN: Final = {
    "page.png": Picture(1280, 800, "dark"),
    "page-light.png": Picture(1280, 800, "light", ("#task-list [aria-posinset='5']",)),
    "page-plan.png": Picture(1280, 800, "dark", ("nav [data-part=plan]",)),
    "page-phone.png": Picture(390, 844, "dark"),
}

#: What a client submits, one after another.
SUBMITS: Final[tuple[dict[str, Any], ...]] = (
    {"prompt": "a lighthouse at dusk, oil on canvas", "workflow": "rr3", "seed": 42},
    {"prompt": "a red fox asleep in the darkroom", "workflow": "anime", "seed": 7},
    {"prompt": "an old tram in Lisbon, rain", "seed": 1904},
    {"prompt": "a bowl of oranges, soft light", "workflow": "z-image", "seed": 11},
    {"prompt": "a whale above the city", "workflow": "grok", "seed": 3},
    {"prompt": "a cat reading the news", "workflow": "rr3", "seed": 5},
    {"prompt": "mountains, early morning, film grain", "workflow": "anime", "seed": 8},
    {"prompt": "a paper boat on a river of ink", "workflow": "rr3", "seed": 21},
    {"prompt": "a greenhouse at night", "workflow": "default", "seed": 12},
)

PLAN: Final = ("poll#2 workflow=rr3: http 502", "submit#6: http 503 after", "image#1: garbled")


class Client:
    """A client that submits, polls and fetches, on a clock that is moved for it."""

    def __init__(self, api: Service, origin: str) -> None:
        self.api, self.origin = api, origin
        clock = api.sessions.open(FAKE_KEY).clock
        assert isinstance(clock, AdjustableClock)
        self.clock = clock
        self.waiting: list[str] = []

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """The document of an answer."""
        headers = {"x-api-key": FAKE_KEY, "content-type": "application/json"}
        text = b"" if body is None else json.dumps(body).encode()
        reply = self.api.handle(Request(method, path, urlencode(query), headers, text, self.origin))
        reply.deliver()
        return json.loads(reply.body) if reply.media_type == "application/json" else {}

    def live(self) -> None:
        """Submit one after another, and poll what is not done."""
        for parameters in SUBMITS:
            data = self.ask("POST", "/v1/index.php", parameters, endpoint="image_generation")["data"]
            self.waiting += [data["id"]] if data else []
            for seconds in (0.9, 1.1):
                self.clock.advance(seconds)
                self.poll()

    def err(self) -> None:
        """Make three mistakes that clients make."""
        for parameters in ({"promt": "a typo"}, {"prompt": "a postcard", "width": 4096}):
            self.ask("POST", "/v1/index.php", parameters, endpoint="image_generation")
        self.ask("GET", "/v1/index.php", endpoint="task_status", task_id="undefined")

    def poll(self) -> None:
        """Poll each task that is not done, and fetch what is."""
        for task_id in list(self.waiting):
            data = self.ask("GET", "/v1/index.php", endpoint="task_status", task_id=task_id)["data"] or {}
            if data.get("result"):
                self.ask("GET", urlsplit(data["result"]["image_url"]).path)
            if data.get("status") in ("completed", "failed"):
                self.waiting.remove(task_id)


@contextmanager
def served() -> Iterator[str]:
    """A fake with a story, whose clock stands still by now."""
    usual = Settings(task_profile(queued="1..3", running="4..9", fail_nth=[6]), plan=PLAN)
    api = Service(settings=usual, seed=5, clock=AdjustableClock)
    with in_thread(create_app(api, control=Control(page=True))) as server:
        parts = urlsplit(server.url)
        client = Client(api, f"{parts.scheme}://{parts.netloc}")
        client.clock.freeze(True)
        client.live()
        client.err()
        yield client.origin


def take(browser: Browser, origin: str, file: str, picture: Picture) -> None:
    """Open the page, do what is to be seen, and keep that in few colours."""
    size = {"width": picture.width, "height": picture.height}
    page: Page = browser.new_page(viewport=size, color_scheme=picture.scheme)  # type: ignore[arg-type]
    page.goto(origin)
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("#tasks-count")).not_to_be_empty()
    for place in picture.clicks:
        page.locator(place).click()
    page.wait_for_timeout(1_500)  # until the pictures in sight are drawn
    page.evaluate("document.activeElement.blur()")
    image = Image.open(BytesIO(page.screenshot()))
    image.convert("RGB").quantize(200, dither=Image.Dither.NONE).save(PICTURES / file, optimize=True)
    page.close()


expect.set_options(timeout=30_000)

if __name__ == "__main__":
    with served() as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for file, picture in SHOWN.items():
            take(browser, origin, file, picture)
        browser.close()
