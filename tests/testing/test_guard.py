"""The guard keeps HTTP libraries on this machine, below whatever else replaces them, and leaves nothing behind."""

import asyncio
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
import httpx
import httpx2
import pytest
import requests
import respx

from safelight.mockserver.model.addresses import is_this_machine
from safelight.testing.guard import NotThisMachine, guard, places
from safelight.testing.safelight import Safelight

#: No host: names below `.invalid` are never given to anybody.
ELSEWHERE: Final = "elsewhere.invalid"


async def _get(library: Any, url: str) -> Any:
    async with library.AsyncClient(trust_env=False) as client:
        return await client.get(url)


async def _get_with_aiohttp(url: str) -> SimpleNamespace:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return SimpleNamespace(status_code=answer.status)


#: How a client asks for a URL, by library.
CLIENTS: Final[dict[str, Callable[[str], Any]]] = {
    "httpx": lambda url: httpx.get(url, trust_env=False),
    "httpx async": lambda url: asyncio.run(_get(httpx, url)),
    "httpx2": lambda url: httpx2.get(url, trust_env=False),
    "httpx2 async": lambda url: asyncio.run(_get(httpx2, url)),
    "aiohttp": lambda url: asyncio.run(_get_with_aiohttp(url)),
    "requests": lambda url: requests.get(url, timeout=10),
    "urllib": lambda url: urllib.request.urlopen(url, timeout=10),
}

SENTENCE: Final = (
    "the client wants to connect to elsewhere.invalid, which is not this machine: a test that uses the fixture "
    "safelight stays on it. Give the client safelight.url, mock elsewhere.invalid, or allow it with "
    "--safelight-allow=elsewhere.invalid"
)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_another_machine_is_refused_and_the_sentence_says_why(client: str, scheme: str) -> None:
    with guard(), pytest.raises(NotThisMachine) as raised:
        CLIENTS[client](f"{scheme}://{ELSEWHERE}/v1/index.php")
    assert str(raised.value) == SENTENCE
    assert isinstance(raised.value, AssertionError), "no client takes it for a failure of the network"


@pytest.mark.parametrize("client", CLIENTS)
def test_an_address_is_refused_as_well(client: str) -> None:
    with guard(), pytest.raises(NotThisMachine) as raised:
        CLIENTS[client]("http://192.0.2.1/")
    assert raised.value.host == "192.0.2.1"


async def _through_proxy(library: Any, url: str) -> Any:
    async with library.AsyncClient(proxy=PROXY) as client:
        return await client.get(url)


#: A proxy on this machine is the way to others. Nobody listens there: it has to be found out before.
PROXY: Final = "http://127.0.0.1:9"

PROXIED: Final[dict[str, Callable[[str], Any]]] = {
    "httpx": lambda url: httpx.get(url, proxy=PROXY),
    "httpx async": lambda url: asyncio.run(_through_proxy(httpx, url)),
    "httpx2": lambda url: httpx2.get(url, proxy=PROXY),
    "requests": lambda url: requests.get(url, proxies={"http": PROXY, "https": PROXY}, timeout=10),
    "urllib": lambda url: urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": PROXY, "https": PROXY})
    ).open(url, timeout=10),
}


@pytest.mark.parametrize("client", PROXIED)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_on_this_machine_is_no_way_round(client: str, scheme: str) -> None:
    with guard(), pytest.raises(NotThisMachine) as raised:
        PROXIED[client](f"{scheme}://{ELSEWHERE}/")
    assert raised.value.host == ELSEWHERE


@pytest.mark.parametrize("client", CLIENTS)
def test_this_machine_is_not(client: str) -> None:
    with Safelight() as api, guard():
        url = api.url.replace("127.0.0.1", "localhost") if "async" not in client else api.url
        if client == "urllib":
            with pytest.raises(urllib.error.HTTPError, match="404") as raised:
                CLIENTS[client](url)
            raised.value.close()  # Python 3.14 warns of an answer that nobody closes
        else:
            assert CLIENTS[client](url).status_code == 404


@pytest.mark.parametrize("client", CLIENTS)
def test_a_host_that_is_allowed_is_asked(client: str) -> None:
    with guard([ELSEWHERE.upper()]), pytest.raises(Exception, match=r".") as raised:
        CLIENTS[client](f"http://{ELSEWHERE}/")
    assert not isinstance(raised.value, NotThisMachine)


HOSTS: Final = {
    "127.0.0.1": True,
    "127.8.9.10": True,
    "::1": True,
    "[::1]": True,
    "localhost": True,
    "LOCALHOST.": True,
    "api.localhost": True,
    "fe80::1%eth0": False,
    "0.0.0.0": True,
    "::ffff:127.0.0.1": True,
    "::ffff:10.0.0.1": False,
    "10.0.0.1": False,
    "localhost.example": False,
    "127.0.0.1.example": False,
    "": False,
}


@pytest.mark.parametrize("host", HOSTS)
def test_which_hosts_are_this_machine(host: str) -> None:
    assert is_this_machine(host) is HOSTS[host]


def test_what_a_mock_answers_never_connects_and_is_not_refused() -> None:
    with guard(), respx.mock() as router:
        router.get(f"https://{ELSEWHERE}/").respond(204)
        assert httpx.get(f"https://{ELSEWHERE}/").status_code == 204


def test_it_is_gone_when_the_last_block_has_ended() -> None:
    before = [getattr(owner, name) for owner, name, _ in places()]
    with guard(["a.invalid"]):
        with guard():
            pass
        with pytest.raises(NotThisMachine):
            CLIENTS["httpx"](f"http://{ELSEWHERE}/")
    assert [getattr(owner, name) for owner, name, _ in places()] == before


def test_every_library_is_guarded_where_it_connects() -> None:
    owners = [owner for owner, *_ in places()]
    names = {f"{owner.__module__}.{owner.__name__}" if isinstance(owner, type) else owner.__name__ for owner in owners}
    libraries = [f"{core}.{kind}Backend" for core in ("httpcore", "httpcore2") for kind in ("Sync", "AnyIO")]
    assert names >= {
        *libraries,
        "urllib3.util.connection",
        "http.client.HTTPConnection",
        "aiohttp.connector.TCPConnector",
    }


def test_no_proxy_is_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.7:3128")
    monkeypatch.setenv("http_proxy", "http://192.0.2.7:3128")
    with Safelight() as api, guard():
        assert os.environ["NO_PROXY"] == "intranet.example,127.0.0.1,localhost,::1"
        assert httpx.get(api.url).status_code == requests.get(api.url, timeout=10).status_code == 404
    assert (os.environ["NO_PROXY"], "no_proxy" in os.environ) == ("intranet.example", False)


def test_it_holds_for_threads_too() -> None:
    raised: list[BaseException] = []

    def work() -> None:
        try:
            CLIENTS["httpx"](f"http://{ELSEWHERE}/")
        except NotThisMachine as error:
            raised.append(error)

    with guard():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert list(map(str, raised)) == [SENTENCE]
