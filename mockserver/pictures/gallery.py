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
        self._limit = limit
        self._files: OrderedDict[Hashable, Future[bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def file(self, key: Hashable, draw: Callable[[], bytes]) -> bytes:
        """What `draw` draws; `key` stands for it from now on, so it has to tell API keys apart as well as tasks."""
        with self._lock:
            is_new = key not in self._files
            future = self._files.setdefault(key, Future())
            self._files.move_to_end(key)
        if is_new:
            self._fulfil(key, draw, future)
        return future.result()

    def _fulfil(self, key: Hashable, draw: Callable[[], bytes], future: Future[bytes]) -> None:
        try:
            future.set_result(draw())
        except BaseException as error:
            with self._lock:
                self._files.pop(key, None)
            future.set_exception(error)
            raise
        with self._lock:
            while sum(len(drawn.result()) for drawn in self._files.values() if drawn.done()) > self._limit:
                self._files.popitem(last=False)
