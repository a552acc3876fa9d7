"""The page in the browser: files that hold nothing of any session, and what a browser lets them do."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Final

from safelight.mockserver.control.routes import PREFIX
from safelight.mockserver.model.messages import HEADERS, Reply

#: Where a browser finds the page, and where the page finds its other files.
HOME: Final = "/"
_FOLDER: Final = f"{PREFIX}/page/"

#: Nothing runs, and nothing is loaded, but what this server sends; and no other page can have this one in a frame.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_HEADERS: Final = {
    **HEADERS,
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    # A site that opens the page in a window gets no hold of that.
    "cross-origin-opener-policy": "same-origin",
}

_MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def is_home(method: str, path: str, query: bytes, headers: Mapping[str, str]) -> bool:
    """A browser asks for the page. The API has an entry at this path too, whose clients want JSON."""
    return method in ("GET", "HEAD") and path == HOME and not query and "text/html" in headers.get("accept", "")


def file_at(path: str) -> Reply | None:
    """The file of the page at this path, if there is one."""
    name = "page.html" if path == HOME else path.removeprefix(_FOLDER) if path.startswith(_FOLDER) else ""
    return _replies().get(name)


@cache
def _replies() -> dict[str, Reply]:
    found = {file.name: PurePosixPath(file.name).suffix for file in files(__name__).iterdir()}
    return {
        name: Reply(200, (files(__name__) / name).read_bytes(), _MEDIA_TYPES[suffix], _HEADERS)
        for name, suffix in found.items()
        if suffix in _MEDIA_TYPES
    }
