"""`serve --public-url`: behind a proxy, URLs begin with what clients call, and lead back through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from safelight.mockserver.control.client import ControlClient
from safelight.mockserver.sessions.table import SERVE
from sentences import refusal
from serving import Served, safelight, serving

PUBLIC = "https://fake.example/safe"


class Proxy(BaseHTTPRequestHandler):
    """It takes the path /safe away, and calls the fake by a name of its own, as proxies do."""

    protocol_version = "HTTP/1.1"
    target = ""
    begin = "/safe"

    def do_GET(self) -> None:
        if not self.path.startswith(f"{self.begin}/"):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()} | {"host": "inner.example"}
        url = httpx.URL(self.target).join(self.path.removeprefix(self.begin))
        with httpx.Client(trust_env=False, verify=False) as client:
            answer = client.request(self.command, url, headers=headers, content=body)
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    do_POST = do_GET  # noqa: N815 - what http.server looks for

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def behind_a_proxy(*options: str) -> Iterator[tuple[Served, httpx.Client]]:
    """A fake, and a client that calls it through the proxy."""

    class Own(Proxy):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as proxy:
        thread = Thread(target=proxy.serve_forever)
        thread.start()
        try:
            public = f"http://127.0.0.1:{proxy.server_port}{Proxy.begin}"
            with serving("--public-url", f"{public}/", "--polls", "0,0", *options) as server:
                Own.target = server.url
                with httpx.Client(
                    base_url=public, headers={"x-api-key": server.key}, trust_env=False, verify=False
                ) as client:
                    yield server, client
        finally:
            proxy.shutdown()
            thread.join()


def polled(client: httpx.Client, **request: Any) -> dict[str, Any]:
    """The data of the poll of a new task, wherever redirects lead."""
    submit = client.post("v1/index.php?endpoint=image_generation", json={"prompt": "a lamp", "width": 64} | request)
    task_id = submit.json()["data"]["id"]
    poll = client.get(f"v1/index.php?endpoint=task_status&task_id={task_id}", follow_redirects=True)
    data: dict[str, Any] = poll.json()["data"]
    return data


def test_a_picture_is_fetched_through_the_proxy() -> None:
    with behind_a_proxy() as (server, client):
        url = polled(client)["result"]["image_url"]
        assert url.startswith(f"{str(client.base_url).rstrip('/')}/uploads/")
        assert client.get(url).headers["content-type"] == "image/png"
        edit = client.post("v1/index.php?endpoint=image_editing", json={"prompt": "a lamp", "image": url})
        assert edit.status_code == 200
        assert server.client.get(url.replace(str(client.base_url), str(httpx.URL(server.url).join("/")))).is_success


@pytest.mark.parametrize(("target", "seen"), [("here", "/safe/v1/"), ("elsewhere", "/safe/elsewhere/v1/")])
def test_a_redirect_leads_back_through_the_proxy(target: str, seen: str) -> None:
    with behind_a_proxy("--faults", f"poll#1: redirect 307 {target}") as (server, client):
        followed: list[str] = []
        client.event_hooks = {"request": [lambda request: followed.append(request.url.path)]}
        assert polled(client)["status"] == "completed"
        assert followed[-1].startswith(seen)
        [rule] = ControlClient(server.url, server.key).plan()["rules"]
        assert rule["delivered"] == 1


def test_a_result_at_the_second_origin_is_fetched_through_the_proxy() -> None:
    with behind_a_proxy("--faults", "poll: result elsewhere") as (_, client):
        url = httpx.URL(polled(client)["result"]["image_url"])
        assert (url.host, url.port) == ("localhost", client.base_url.port)
        assert url.path.startswith("/safe/elsewhere/uploads/")
        assert client.get(url.copy_with(host="127.0.0.1")).headers["content-type"] == "image/png"


def test_what_is_printed_and_described_begins_with_it() -> None:
    with serving("--openapi-paths", SAFELIGHT_PUBLIC_URL=PUBLIC) as server:
        assert server.url.startswith("http://127.0.0.1:")
        for path in ("/openapi.json", "/openapi.one-path.json"):
            assert server.client.get(httpx.URL(server.url).join(path)).json()["servers"] == [{"url": PUBLIC}]
        control = server.client.get(httpx.URL(server.url).join("/_safelight/openapi.json"))
        assert control.json()["servers"] == [{"url": PUBLIC}]
        assert f"curl '{PUBLIC}/v1/index.php?endpoint=image_generation'" in server.said
        assert f"The URLs in its answers begin with {PUBLIC}\n" in server.said


def test_its_page_controls_it_under_both_names(tmp_path: Path) -> None:
    file = tmp_path / "safelight.toml"
    file.write_text('public-url = "https://Fake.example:443"\ncontrol-host = ["fake.example"]\n')
    with serving("--config", str(file)) as server:
        sessions = httpx.URL(server.url).join("/_safelight/sessions")
        fail = httpx.URL(server.url).join("/_safelight/next")
        inner = f"http://127.0.0.1:{sessions.port}"
        own = {"host": "fake.example", "origin": "https://fake.example"}
        assert server.client.get(sessions, headers=own).json()["data"]["origin"] == "https://fake.example"
        for headers, status in [
            (own, 200),
            ({"origin": inner}, 200),
            ({"origin": "https://evil.example"}, 403),
            (own | {"host": "evil.example"}, 403),
        ]:
            sent = {"x-api-key": server.key, **headers}
            assert server.client.post(fail, json={"queued": 1}, headers=sent).status_code == status


@pytest.mark.parametrize(
    "wrong",
    [
        *("fake.example", "ftp://fake.example", "https://", "https://fake.example?a=1", "https://fake.example/#a"),
        *("https://user:s3cret@fake.example", "https://fake.example:0", "https://fake.example:99999", "https://[zz]"),
        *("https://fake.example/a b", "https://fake.example//", "https://[::::]"),
        *("https://fake.example/..", "https://fake.example/a/./b", "https://fake.example:0443"),
    ],
)
def test_what_no_url_can_begin_with_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"^a public URL is http:// or https:// with a host,"):
        SERVE["public_url"].reader.read(wrong)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("http://FAKE:80/", "http://fake"),
        ("https://[2001:DB8::1]:8443/a/b/", "https://[2001:db8::1]:8443/a/b"),
        ("https://fake.example:80", "https://fake.example:80"),
        ("https://fake.example/.well-known/..a", "https://fake.example/.well-known/..a"),
    ],
)
def test_it_is_read_as_browsers_say_it(given: str, read: str) -> None:
    assert SERVE["public_url"].reader.read(given) == read


def test_a_refusal_shows_no_password() -> None:
    said = refusal(safelight(["serve", "--public-url", "https://user:s3cret@fake.example"]))
    assert "a public URL is http:// or https:// with a host" in said
    assert "s3cret" not in said


def test_an_upstream_has_a_public_url_of_its_own() -> None:
    said = refusal(safelight(["serve", "--upstream", "https://api.example/v1/index.php", "--public-url", PUBLIC]))
    assert "leave out public-url" in said
