"""The files that are drawn already, or just being drawn."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future


class Gallery:
    """Pictures and films by key, drawn when first asked for; beyond `limit` bytes the least recently used go.

    It may be used from several threads: who asks for a file that is being drawn waits for that one alone.
    """

    def __init__(self, *, limit: int = 64_000_000) -> None:
        self._limit, self._bytes = limit, 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._drawing: dict[Hashable, Future[bytes]] = {}
        self._lock = threading.Lock()

    def file(self, key: Hashable, draw: Callable[[], bytes]) -> bytes:
        """What `draw` draws; `key` stands for it from now on, so it has to tell API keys apart as well as tasks."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            mine = key not in self._drawing
            future = self._drawing.setdefault(key, Future())
        if mine:
            self._fulfil(key, draw, future)
        return future.result()

    def _fulfil(self, key: Hashable, draw: Callable[[], bytes], future: Future[bytes]) -> None:
        try:
            file = draw()
            self._keep(key, file)
            future.set_result(file)
        except BaseException as error:
            future.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._drawing[key]

    def _keep(self, key: Hashable, file: bytes) -> None:
        with self._lock:
            self._kept[key] = file
            self._bytes += len(file)
            while self._bytes > self._limit:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= len(gone)
