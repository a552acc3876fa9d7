"""Sessions in Redis, or in Valkey: any number of processes on any number of hosts share them.

A session is entered by whoever holds its lock, and what a transaction changed is written by one script that looks
whether the lock is still held: who lost it, because its process stood still for too long, has changed nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from random import uniform
from secrets import token_hex
from threading import Event, Lock, Thread
from typing import Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError, TimeoutError  # noqa: A004 - those of Redis
from redis.retry import Retry

from safelight.mockserver.storage.database import Changes, Document, Records
from safelight.mockserver.storage.store import StoreGone, UnusableStore
from safelight.traffic.journal import MAX_BYTES, MAX_ENTRIES

#: What is written, in this form; another version of Safelight may write another one.
_FORM: Final = "2"

#: Milliseconds after which the lock of a process that was killed is free again, and seconds after which a process
#: that goes on says that it still holds its own.
_LOCK_MILLISECONDS: Final = 2_000
_RENEWAL_SECONDS: Final = 0.5

#: Seconds after which Redis is taken to be gone. By then a lock that it was asked for before is free: what was to be
#: written with it, and was not answered, is never written later.
_TIMEOUT_SECONDS: Final = 2.5

#: Seconds for which a Redis that did not answer is not asked again: else each request would wait for it.
_REST_SECONDS: Final = 1.0

#: Seconds that a session is waited for, and those between two looks.
_MAX_WAIT_SECONDS: Final = 10.0
_LOOKS: Final = (0.000_3, 0.003)

#: Take the lock, and read the session: its settings and the rest. 0: somebody else holds it.
_ENTER: Final = """
if not redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and redis.call('get', KEYS[1]) ~= ARGV[1] then
    return 0
end
return redis.call('hmget', KEYS[2], 'settings', 'rest')
"""

#: Hold the lock for longer.
_RENEW: Final = """
return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('pexpire', KEYS[1], ARGV[2])
"""

#: Write what has changed, and give the lock back. A script that is sent twice does it once. 0: the lock was lost.
_LEAVE: Final = """
local lock, session, sessions = KEYS[1], KEYS[2], KEYS[3]
local token, name, is_new, is_written = ARGV[1], ARGV[2], ARGV[3] == '1', ARGV[4]
if redis.call('get', lock) ~= token then
    return redis.call('hget', session, 'written') == token and 1 or 0
end
if is_new then
    for _, kind in ipairs(redis.call('smembers', session .. ':kinds')) do redis.call('del', session .. ':' .. kind) end
    redis.call('del', session, session .. ':kinds', session .. ':journal', session .. ':journal:size')
    redis.call('srem', sessions, name)
end
if is_written == '1' then
    redis.call('hset', session, 'settings', ARGV[5], 'rest', ARGV[6], 'written', token)
    if is_new then redis.call('sadd', sessions, name) end
end
for at = 7, #ARGV, 3 do
    local kind, key, text = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    if text == '' then
        redis.call('hdel', session .. ':' .. kind, key)
    else
        redis.call('sadd', session .. ':kinds', kind)
        redis.call('hset', session .. ':' .. kind, key, text)
    end
end
redis.call('del', lock)
return 1
"""

#: Keep a record in a stream, and let the oldest go where there is no room.
_RECORD: Final = """
local session = redis.call('exists', KEYS[1]) == 1 and KEYS[1] or KEYS[2]
local stream, size = session .. ':journal', session .. ':journal:size'
redis.call('xadd', stream, '*', 'size', ARGV[2], 'text', ARGV[1], 'earlier', ARGV[3])
local bytes = redis.call('hincrby', size, 'bytes', ARGV[2])
while redis.call('xlen', stream) > tonumber(ARGV[4]) or bytes > tonumber(ARGV[5]) do
    local oldest = redis.call('xrange', stream, '-', '+', 'COUNT', 1)[1]
    bytes = redis.call('hincrby', size, 'bytes', -oldest[2][2])
    redis.call('hincrby', size, 'dropped', 1)
    redis.call('xdel', stream, oldest[1])
end
"""


class RedisDatabase:
    """One Redis, found by its URL. Raises `UnusableStore`."""

    def __init__(self, url: str) -> None:
        #: When it is asked again.
        self._asked_again = 0.0
        try:
            # A connection that was open when Redis went away has to be made anew: a second try does that.
            self._redis: Any = Redis.from_url(
                url,
                decode_responses=True,
                socket_timeout=_TIMEOUT_SECONDS,
                socket_connect_timeout=_TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 1, (ConnectionError,)),
            )
            self._told(partial(self._redis.set, nx=True), "safelight:form", _FORM)
            form = self._told(self._redis.get, "safelight:form")
        except (StoreGone, ValueError) as error:
            raise UnusableStore(error.reason if isinstance(error, StoreGone) else str(error)) from None
        if form != _FORM:
            raise UnusableStore("another version of Safelight has written what it holds: take another database of it")
        scripts = (_ENTER, _RENEW, _LEAVE, _RECORD)
        self._enter, self._renew, self._leave, self._record = map(self._redis.register_script, scripts)
        self._locks = _Locks(self._renewed)

    def enter(self, name: str) -> Document | None:
        """Take the lock of a session, and read it."""
        token = self._locks.take(name)
        try:
            found = self._locked(name, token)
        except BaseException:
            self._locks.give_back(name)
            raise
        self._locks.hold(name)
        return _document(found)

    def leave(self, name: str, changes: Changes | None) -> None:
        """Write all changes, and give the lock back."""
        token = self._locks.token(name)
        document, rows, is_new = changes or Changes(None, (), is_new=False)
        arguments = [token, name, int(is_new), int(document is not None), *(document or ("", ""))]
        arguments += [text or "" for row in rows for text in row]
        try:
            is_done = self._told(self._leave, [_lock(name), _session(name), _SESSIONS], arguments)
        finally:
            self._locks.give_back(name)
        if changes and not is_done:
            raise StoreGone("this process stood still for so long that it lost the session to another one")

    def read(self, name: str) -> Document | None:
        """The session as it is now."""
        return _document(self._told(self._redis.hmget, _session(name), ["settings", "rest"]))

    def row(self, name: str, kinds: Sequence[str], key: str) -> Sequence[str | None]:
        """The texts of the rows that have this key."""
        pipeline = self._redis.pipeline(transaction=False)
        for kind in kinds:
            pipeline.hget(f"{_session(name)}:{kind}", key)
        texts: Sequence[str | None] = self._told(pipeline.execute)
        return texts

    def rows(self, name: str, kind: str) -> Mapping[str, str]:
        """All rows of a kind."""
        found: Mapping[str, str] = self._told(self._redis.hgetall, f"{_session(name)}:{kind}")
        return found

    def names(self) -> Sequence[str]:
        """The sessions that there are."""
        return list(self._told(self._redis.smembers, _SESSIONS))

    def record(self, name: str, text: str, size: int, earlier: str | None) -> None:
        """Keep a record."""
        keys = [_session(name), _session("")]
        self._told(self._record, keys, [text, size, earlier or "", MAX_ENTRIES, MAX_BYTES])

    def records(self, name: str) -> Records | None:
        """What was recorded; a record that replaces an earlier one stands in its place."""
        if name and not self._told(self._redis.exists, _session(name)):
            return None
        texts: list[str] = []
        for _, entry in self._told(self._redis.xrange, f"{_session(name)}:journal"):
            if not entry["earlier"]:
                texts.append(entry["text"])
            elif entry["earlier"] in texts:
                texts[len(texts) - 1 - texts[::-1].index(entry["earlier"])] = entry["text"]
        return Records(texts, int(self._told(self._redis.hget, f"{_session(name)}:journal:size", "dropped") or 0))

    def close(self) -> None:
        """Close the connections."""
        self._locks.stop()
        self._redis.close()

    def _locked(self, name: str, token: str) -> Sequence[str | None]:
        """Wait for the lock; what was read with it."""
        deadline = time.monotonic() + _MAX_WAIT_SECONDS
        keys, arguments = [_lock(name), _session(name)], [token, _LOCK_MILLISECONDS]
        while time.monotonic() < deadline:
            found: Sequence[str | None] = self._told(self._enter, keys, arguments)
            if found:
                return found
            time.sleep(uniform(*_LOOKS))
        raise StoreGone("another process holds the session for too long")

    def _renewed(self, name: str, token: str) -> None:
        with suppress(StoreGone):
            self._told(self._renew, [_lock(name)], [token, _LOCK_MILLISECONDS])

    def _told(self, verb: Callable[..., Any], *arguments: Any) -> Any:
        if time.monotonic() < self._asked_again:
            raise StoreGone("Redis: it did not answer a moment ago")
        try:
            return verb(*arguments)
        except TimeoutError as error:
            self._asked_again = time.monotonic() + _REST_SECONDS
            raise StoreGone(f"Redis: {error}") from None
        except (RedisError, OSError) as error:
            raise StoreGone(f"Redis: {error}") from None


class _Locks:
    """The sessions that this process is in. Its threads wait here for one another, and not at Redis."""

    def __init__(self, renew: Callable[[str, str], None]) -> None:
        self._renew = renew
        self._changing = Lock()
        #: Name -> the lock of its threads, and how many have it or wait for it.
        self._threads: dict[str, tuple[Lock, int]] = {}
        self._tokens: dict[str, str] = {}
        self._held: set[str] = set()
        self._watch: Thread | None = None
        self._is_over = Event()

    def take(self, name: str) -> str:
        """Wait for the other threads, and give what to hold the lock in Redis with."""
        with self._changing:
            lock, number = self._threads.get(name) or (Lock(), 0)
            self._threads[name] = lock, number + 1
        lock.acquire()
        token = self._tokens[name] = token_hex(8)
        return token

    def token(self, name: str) -> str:
        """What the lock in Redis is held with."""
        return self._tokens[name]

    def hold(self, name: str) -> None:
        """From now on, renew the lock in Redis."""
        with self._changing:
            self._held.add(name)
            if self._watch is None or not self._watch.is_alive():  # a thread is not carried over to a forked process
                self._is_over = Event()
                self._watch = Thread(target=self._renew_all, args=(self._is_over,), daemon=True)
                self._watch.start()

    def give_back(self, name: str) -> None:
        """The next thread can have it."""
        with self._changing:
            lock, number = self._threads.pop(name)
            if number > 1:
                self._threads[name] = lock, number - 1
            self._held.discard(name)
            del self._tokens[name]
        lock.release()

    def stop(self) -> None:
        """Renew no more."""
        self._is_over.set()
        self._watch = None

    def _renew_all(self, is_over: Event) -> None:
        while not is_over.wait(_RENEWAL_SECONDS):
            with self._changing:
                held = [(name, self._tokens[name]) for name in self._held]
            for name, token in held:
                self._renew(name, token)


_SESSIONS: Final = "safelight:sessions"


def _session(name: str) -> str:
    return f"safelight:session:{name}"


def _lock(name: str) -> str:
    return f"safelight:lock:{name}"


def _document(found: Sequence[str | None]) -> Document | None:
    settings, rest = found
    return None if settings is None or rest is None else Document(settings, rest)
