"""The URL of an entry point, read once. What is refused stands in the test of the command."""

import pytest

from safelight.conformance.servers.entry import entry, is_loopback


@pytest.mark.parametrize(
    ("url", "origin", "path", "is_here"),
    [
        ("http://127.0.0.1:8123/v1/index.php", "http://127.0.0.1:8123", "/v1/index.php", True),
        ("http://localhost", "http://localhost:80", "/", True),
        ("https://EXAMPLE.com/v1/index.php", "https://example.com:443", "/v1/index.php", False),
        ("HTTPS://example.com:8443/", "https://example.com:8443", "/", False),
        ("http://[::1]:8123/v1", "http://[::1]:8123", "/v1", True),
        (
            "http://ex\u00e4mple.com/\u00fcb%20c",
            "http://xn--exmple-cua.com:80",
            "/%C3%BCb%20c",
            False,
        ),
        ("http://127.0.0.1/a/../b;c=1", "http://127.0.0.1:80", "/a/../b;c=1", True),
    ],
)
def test_a_url_says_where_a_server_is(url: str, origin: str, path: str, *, is_here: bool) -> None:
    found = entry(url)
    assert (found.origin, found.path, found.is_loopback, found.url) == (origin, path, is_here, url)


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("127.9.9.9", True),
        ("a.localhost", True),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_only_this_machine_is_this_machine(host: str, *, is_here: bool) -> None:
    assert is_loopback(host) is is_here
