"""The pictures that are drawn already, or just being drawn."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

from safelight.mockserver.pictures.drawing import draw
from safelight.mockserver.pictures.picture import Picture


class Gallery:
    """PNGs by key, drawn when first asked for; the least recently used go when there are more than `limit` bytes.

    It may be used from several threads: who asks for a picture that is being drawn waits for that one alone.
    """

    def __init__(self, *, limit: int = 64_000_000, draw: Callable[[Picture], bytes] = draw) -> None:
        self._limit, self._draw, self._bytes = limit, draw, 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._drawing: dict[Hashable, Future[bytes]] = {}
        self._lock = threading.Lock()

    def png(self, key: Hashable, picture: Picture) -> bytes:
        """The picture; `key` stands for it from now on, so it has to tell API keys apart as well as tasks."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            mine = key not in self._drawing
            future = self._drawing.setdefault(key, Future())
        if mine:
            self._fulfil(key, picture, future)
        return future.result()

    def _fulfil(self, key: Hashable, picture: Picture, future: Future[bytes]) -> None:
        try:
            png = self._draw(picture)
            self._keep(key, png)
            future.set_result(png)
        except BaseException as error:
            future.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._drawing[key]

    def _keep(self, key: Hashable, png: bytes) -> None:
        with self._lock:
            self._kept[key] = png
            self._bytes += len(png)
            while self._bytes > self._limit:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= len(gone)
