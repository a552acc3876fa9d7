"""A page of a dev server controls the fake from a real browser, where its origin is allowed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

from serving import Served, serving

pytestmark = pytest.mark.needs("chromium")

#: Opens a session and says what became of it.
ASK: Final = """async ([url, key]) => {
  const headers = {"x-api-key": key, "content-type": "application/json"};
  try {
    const answer = await fetch(url, {method: "PUT", headers, body: JSON.stringify({balance: 7})});
    return (await answer.json()).data.balance;
  } catch (error) { return error.name; }
}"""


class DevServer(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def page_of_a_dev_server() -> Iterator[tuple[Page, str]]:
    """A page, and its origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), DevServer) as server, sync_playwright() as playwright:
        Thread(target=server.serve_forever).start()
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page, origin = browser.new_page(), f"http://localhost:{server.server_port}"
        page.goto(origin)
        yield page, origin
        browser.close()
        server.shutdown()


def asked(page: Page, server: Served) -> object:
    return page.evaluate(ASK, [f"http://{urlsplit(server.url).netloc}/_safelight/session", server.key])


def test_a_page_controls_the_fake_where_its_origin_is_allowed_and_else_does_not() -> None:
    with page_of_a_dev_server() as (page, origin):
        with serving("--control-origin", origin) as server:
            assert asked(page, server) == 7
        with serving("--control-origin", "http://localhost:1") as server:
            assert asked(page, server) == "TypeError"
        with serving("--control-origin", origin, "--cors") as server:
            assert asked(page, server) == 7
