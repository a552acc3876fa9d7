"""`safelight serve` and `safelight exec` are controlled over HTTP, by those who may."""

import json
import socket
import subprocess
import sys
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from serving import END, SAFELIGHT, Served, safelight, serving

TOKEN: Final = "t0ken-of-a-test"


def steer(server: Served, method: str, path: str, **request: Any) -> httpx.Response:
    """The answer of a control route, at the server's own port."""
    address = urlsplit(server.url).netloc
    headers = {"x-api-key": server.key} | request.pop("headers", {})
    return server.client.request(method, f"http://{address}/_safelight{path}", headers=headers, **request)


def test_a_server_of_this_machine_is_steered() -> None:
    with serving("--queued", "100", "--running", "100") as server:
        task_id = server.submit()["id"]
        words = [server.poll(task_id)["status"]]
        for _ in range(2):
            assert steer(server, "POST", "/clock", json={"advance": 100}).status_code == 200
            words.append(server.poll(task_id)["status"])
        assert words == ["pending", "processing", "completed"]
        assert len(server.log) == 4, "what steers is in no log"


def test_with_a_token_it_is_asked_for_and_never_printed() -> None:
    with serving("--control-token", TOKEN) as server:
        assert steer(server, "GET", "/session").status_code == 401
        assert steer(server, "GET", "/session", headers={"x-safelight-token": TOKEN}).status_code == 200
        assert TOKEN not in server.said + server.complained


def test_the_token_may_come_from_the_environment() -> None:
    with serving(SAFELIGHT_CONTROL_TOKEN=TOKEN) as server:
        assert steer(server, "GET", "/session").status_code == 401


def test_without_control_its_paths_are_unknown() -> None:
    with serving("--no-control", "--control-token", TOKEN) as server:
        assert steer(server, "GET", "/session", headers={"x-safelight-token": TOKEN}).status_code == 404


@pytest.mark.parametrize(("options", "status"), [([], 404), (["--control-token", TOKEN], 200)])
def test_a_server_for_other_machines_is_steered_with_a_token_alone(options: list[str], status: int) -> None:
    with serving("--host", "0.0.0.0", *options) as server:
        assert steer(server, "GET", "/session", headers={"x-safelight-token": TOKEN}).status_code == status


def test_a_port_of_its_own_is_for_this_machine_alone() -> None:
    with serving("--host", "0.0.0.0", "--control-port", "0") as server:
        url = server.control
        assert urlsplit(url).hostname == "127.0.0.1"
        assert urlsplit(url).port != urlsplit(server.url).port
        assert steer(server, "GET", "/session").status_code == 404
        assert server.client.get(f"{url}/session", headers={"x-api-key": server.key}).status_code == 200


def test_a_control_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = safelight(["serve", "--port", "0", "--control-port", port])
    assert done.returncode == 2
    assert f"--control-port: port {port} on 127.0.0.1 is in use" in done.stderr


@pytest.mark.parametrize("token", ["", "two words", "é"])
def test_a_token_fits_into_a_header(token: str) -> None:
    done = safelight(["serve", "--port", "0", "--control-token", token])
    assert done.returncode == 2
    assert "a token is 1 to 200 visible ASCII characters" in done.stderr


def test_a_barrier_does_not_keep_the_server_from_ending() -> None:
    with serving() as server:
        task_id = server.submit()["id"]
        body = {"task_id": task_id, "within": 60}
        ended: list[type[Exception]] = []

        def wait() -> None:
            try:
                steer(server, "POST", "/wait", json=body)
            except httpx.HTTPError as error:
                ended.append(type(error))

        waiting = Thread(target=wait)
        waiting.start()
        assert server.end(within=END) == 0
        waiting.join(END)
        assert (ended != [], server.complained) == (True, "")


def test_exec_is_steered_too() -> None:
    code = (
        "import os; from safelight.mockserver.control.client import ControlClient; "
        "print(ControlClient(os.environ['SAFELIGHT_BASE_URL'], os.environ['SAFELIGHT_API_KEY']).session()['balance'])"
    )
    done = subprocess.run(
        [SAFELIGHT, "exec", "--balance", "7", "--", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == 7


@pytest.mark.parametrize(("name", "status"), [("fake", 200), ("127.0.0.1", 200), ("another", 403)])
def test_a_server_for_other_machines_is_steered_under_a_name_that_is_allowed(name: str, status: int) -> None:
    with serving("--host", "0.0.0.0", "--control-host", "Fake") as server:
        assert steer(server, "GET", "/session", headers={"host": f"{name}:8123"}).status_code == status


def test_an_origin_is_allowed_as_a_browser_says_it() -> None:
    with serving("--control-origin", "https://OK.example:443") as server:
        answer = steer(server, "GET", "/session", headers={"origin": "https://ok.example"})
        assert answer.headers["access-control-allow-origin"] == "https://ok.example"


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("host", "fake:8123", "write one such as safelight, without a port"),
        ("host", "*", "write one such as safelight, without a port"),
        ("origin", "localhost:5173", "such as http://localhost:5173"),
        ("origin", "http://localhost:5173/", "such as http://localhost:5173"),
        ("origin", "*", "such as http://localhost:5173"),
    ],
)
def test_what_is_no_name_and_no_origin_is_one_sentence(option: str, value: str, sentence: str) -> None:
    done = safelight(["serve", "--port", "0", f"--control-{option}", value])
    assert (done.returncode, value in done.stderr, sentence in done.stderr) == (2, True, True)


def page_at(server: Served, url: str) -> bool:
    """A browser finds the page at the root of this URL's host and port."""
    answer = server.client.get(httpx.URL(url).join("/"), headers={"accept": "text/html"})
    return answer.headers["content-type"].startswith("text/html")


def test_the_page_is_at_the_root_and_the_server_says_so() -> None:
    with serving() as server:
        root = str(httpx.URL(server.url).join("/"))
        assert page_at(server, root)
        assert f"See what happens at   {root}\n" in server.said


@pytest.mark.parametrize("option", ["--no-page", "--no-control", "--host=0.0.0.0"])
def test_there_is_no_page_where_it_or_control_is_off(option: str) -> None:
    with serving(option) as server:
        assert not page_at(server, server.url)
        assert "A page" not in server.said


def test_with_a_port_for_control_the_page_is_there_alone() -> None:
    with serving("--control-port", "0") as server:
        assert (page_at(server, server.url), page_at(server, server.control)) == (False, True)
        assert f"See what happens at   {httpx.URL(server.control).join('/')}\n" in server.said


def test_a_page_without_control_is_a_contradiction() -> None:
    refused = safelight(["serve", "--no-control", "--page"])
    assert refused.returncode == 2
    assert "with control off there is no page: leave out one of them" in refused.stderr
