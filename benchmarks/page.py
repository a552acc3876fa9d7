"""How smoothly the page in the browser scrolls: `python benchmarks/page.py`, with 1,000 tasks and 10,000 exchanges."""

from __future__ import annotations

import json
import shutil
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Page, expect, sync_playwright

from safelight.mockserver.control.control import Control
from safelight.mockserver.model.clock import AdjustableClock
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import in_thread

TASKS: Final = 1_000
POLLS: Final = 9
#: Tasks after which the page is waited for: a journal keeps a thousand exchanges.
BATCH: Final = 50
FRAMES: Final = 300

#: Scrolls through a list in so many frames, and gives the milliseconds between them.
_SCROLL: Final = """([id, frames]) => new Promise(done => {
  const list = document.getElementById(id), times = [], step = (list.scrollHeight - list.clientHeight) / frames;
  list.scrollTop = 0;
  const frame = now => {
    times.push(now);
    if (times.length > frames) return done(times.slice(1).map((time, at) => time - times[at]));
    list.scrollTop += step;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})"""


def _ask(api: Service, method: str, body: Any = None, **query: str) -> Any:
    text = b"" if body is None else json.dumps(body).encode()
    headers = {"x-api-key": FAKE_KEY, "content-type": "application/json"}
    return json.loads(api.handle(Request(method, "/v1/index.php", urlencode(query), headers, text)).body)


def _feed(api: Service, page: Page) -> None:
    for number in range(TASKS):
        task = _ask(api, "POST", {"prompt": f"lamp {number}", "width": 64}, endpoint="image_generation")["data"]["id"]
        for _ in range(POLLS):
            _ask(api, "GET", endpoint="task_status", task_id=task)
        if (number + 1) % BATCH == 0:
            expect(page.locator("#journal-said")).to_have_text(f"{(number + 1) * (POLLS + 1):,}", timeout=60_000)
    expect(page.locator("#tasks-count")).to_have_text(f"{TASKS:,}")


def main() -> None:
    """Print the time between frames while each list is scrolled from end to end."""
    settings = Settings(task_profile(queued=0, running=0), balance=10**6)
    api = Service(keys=[FAKE_KEY], settings=settings, clock=AdjustableClock)
    with in_thread(create_app(api, control=Control(page=True))) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.goto(f"http://{urlsplit(server.url).netloc}")
        expect(page.locator("#live")).to_have_text("live")
        _feed(api, page)
        for name in ("task-list", "exchange-list"):
            times = sorted(page.evaluate(_SCROLL, [name, FRAMES]))
            rows = page.locator(f"#{name} .row").count()
            median, slow = times[len(times) // 2], times[len(times) * 95 // 100]
            print(f"{name}, {rows} rows: ms a frame: median {median:.1f}, 95 % {slow:.1f}, most {times[-1]:.1f}")
        browser.close()


if __name__ == "__main__":
    main()
