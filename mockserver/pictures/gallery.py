"""The files that are drawn already, or just being drawn."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Final

#: Bytes of files that are kept, unless another number is given.
MAX_BYTES: Final = 64_000_000


class Gallery:
    """Pictures and films by key, drawn when first asked for; beyond `limit` bytes the least recently used go.

    It may be used from several threads: who asks for a file that is being drawn waits for that one alone.
    """

    def __init__(self, *, limit: int = MAX_BYTES) -> None:
        self._limit = limit
        self._files: OrderedDict[Hashable, bytes] = OrderedDict()
        self._bytes = 0
        self._drawing: dict[Hashable, Future[bytes]] = {}
        self._lock = threading.Lock()

    def file(self, key: Hashable, draw: Callable[[], bytes]) -> bytes:
        """What `draw` draws; `key` stands for it from now on, so it has to tell API keys apart as well as tasks."""
        with self._lock:
            if key in self._files:
                self._files.move_to_end(key)
                return self._files[key]
            is_new = key not in self._drawing
            future = self._drawing.setdefault(key, Future())
        if is_new:
            self._fulfil(key, draw, future)
        return future.result()

    def _fulfil(self, key: Hashable, draw: Callable[[], bytes], future: Future[bytes]) -> None:
        try:
            drawn = draw()
        except BaseException as error:
            with self._lock:
                del self._drawing[key]
            future.set_exception(error)
            raise
        with self._lock:
            del self._drawing[key]
            self._keep(key, drawn)
        future.set_result(drawn)

    def _keep(self, key: Hashable, drawn: bytes) -> None:
        self._files[key] = drawn
        self._bytes += len(drawn)
        while self._bytes > self._limit:
            _, oldest = self._files.popitem(last=False)
            self._bytes -= len(oldest)
