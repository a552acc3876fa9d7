"""What a page of another site can do with the page of a fake, in a real browser: lead to it, and nothing else."""

import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from safelight.mockserver.control.control import Control
from safelight.mockserver.model.clock import AdjustableClock
from safelight.mockserver.service.service import Service
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import in_thread

pytestmark = pytest.mark.needs("chromium")

KEY: Final = "key-that-no-site-gets"

#: A name under which the fake may be reached.
NAME: Final = "safelight.example"

#: Opens the page in a window. What one has hold of afterwards: whether it seems closed, as one does that is not ours.
OPEN: Final = "url => { window.opened = open(url); }"
HELD: Final = "() => window.opened.closed"

#: What a page of another site gets of a fake with a script.
READ: Final = """async url => {
  const told = [];
  for (const mode of ["cors", "no-cors"]) {
    try {
      const answer = await fetch(url, {mode});
      told.push(`${answer.type}: ${await answer.text()}`);
    } catch (error) { told.push(error.name); }
  }
  return told;
}"""

#: Shows a page within this one, and waits until it is there or was refused.
FRAME: Final = """([tag, url]) => new Promise(done => {
  const frame = Object.assign(document.createElement(tag), {onload: done, onerror: done});
  frame[tag === 'object' ? 'data' : 'src'] = url;
  document.body.append(frame);
}).then(event => event.type)"""

#: Sends a form to a control route, in the window itself.
SEND: Final = """([url, method]) => {
  const form = Object.assign(document.createElement('form'), {action: url, method});
  document.body.append(form);
  form.submit();
}"""


class Site(BaseHTTPRequestHandler):
    """Another site, with an empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>another site</title><body>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser that finds each name below `.example` on this machine: so DNS rebinding ends."""
    flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*flags, "--host-resolver-rules=MAP *.example 127.0.0.1"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://evil.example:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def api() -> Service:
    return Service(keys=[KEY], clock=AdjustableClock)


@pytest.fixture
def origin(api: Service) -> Iterator[str]:
    """Where the fake is."""
    with in_thread(create_app(api, control=Control(page=True, hosts={NAME}))) as server:
        parts = urlsplit(server.url)
        yield f"{parts.scheme}://{parts.netloc}"


@pytest.fixture
def evil(browser: Browser, site: str) -> Iterator[Page]:
    """The page of another site."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(site)
        yield page


def test_a_link_leads_to_the_page_which_works(evil: Page, origin: str) -> None:
    evil.evaluate("url => { document.body.innerHTML = `<a href=${url}>the fake</a>`; }", origin)
    evil.click("a")
    expect(evil.locator("#live")).to_have_text("live")


def test_who_opens_it_in_a_window_gets_no_hold_of_that(evil: Page, origin: str) -> None:
    with evil.expect_popup() as popup:
        evil.evaluate(OPEN, origin)
    expect(popup.value.locator("#live")).to_have_text("live")
    assert popup.value.evaluate("window.opener") is None
    assert evil.evaluate(HELD) is True


@pytest.mark.parametrize("tag", ["iframe", "object", "embed"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", NAME])
def test_no_frame_shows_it(host: str, tag: str, evil: Page, origin: str) -> None:
    """To a plain name, without TLS, a browser does not say that it asks for a frame: then it heeds the policy."""
    evil.evaluate(FRAME, [tag, f"http://{host}:{urlsplit(origin).port}/"])
    assert evil.title() == "another site"
    assert [frame.title() for frame in evil.frames if frame.title() == "Safelight"] == []


@pytest.mark.parametrize("path", ["/", "/_safelight/sessions", "/_safelight/events", "/_safelight/page/page.js"])
def test_no_script_reads_anything(path: str, evil: Page, origin: str) -> None:
    assert evil.evaluate(READ, f"{origin}{path}") == ["TypeError", "opaque: "]


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_form_leads_to_a_control_route(method: str, evil: Page, origin: str, api: Service) -> None:
    before = api.sessions.look(KEY)
    with evil.expect_navigation() as led:
        evil.evaluate(SEND, [f"{origin}/_safelight/session", method])
    assert led.value is not None
    assert led.value.status == 403
    assert api.sessions.look(KEY) == before


def test_a_name_of_another_site_that_leads_here_shows_nothing(evil: Page, origin: str) -> None:
    port = urlsplit(origin).port
    for path in ("/", "/_safelight/sessions", "/_safelight/page/page.js"):
        answer = evil.goto(f"http://evil.example:{port}{path}")
        assert answer is not None
        assert answer.status == 403
    assert evil.evaluate("async () => (await fetch('/_safelight/sessions')).status") == 403
