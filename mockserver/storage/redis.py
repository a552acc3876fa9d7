"""Sessions in Redis, or in Valkey: any number of processes on any number of hosts share them.

A session is entered by whoever holds its lock, and what a transaction changed is written by one script that looks
whether the lock is still held: who lost it, because its process stood still for too long, has changed nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha1
from queue import Empty, LifoQueue
from random import uniform
from secrets import token_hex
from threading import Event, Lock, Thread
from typing import Any, Final

from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004 - that of Redis
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,  # noqa: A004 - as above
)
from redis.retry import Retry

from safelight.mockserver.storage.database import (
    PLACE_CHARACTERS,
    Changes,
    Document,
    Found,
    FoundPlace,
    Record,
    Records,
    Wanted,
)
from safelight.mockserver.storage.store import Guests, StoreGone, UnusableStore
from safelight.traffic.journal import MAX_BYTES, MAX_ENTRIES

#: What is written, in this form; another version of Safelight may write another one.
_FORM: Final = "3"

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

#: Take the lock, and read the session: its settings, the rest, and rows. 0: somebody else holds it.
_ENTER: Final = """
if not redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and redis.call('get', KEYS[1]) ~= ARGV[1] then
    return 0
end
local found = redis.call('hmget', KEYS[2], 'settings', 'rest')
for at = 4, #ARGV do found[at - 1] = redis.call('hget', KEYS[2] .. ':' .. ARGV[at], ARGV[3]) end
return found
"""

#: Hold the lock for longer.
_RENEW: Final = """
return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('pexpire', KEYS[1], ARGV[2])
"""

#: The rows of a key.
_ROW: Final = """
local found = {}
for at, rows in ipairs(KEYS) do found[at] = redis.call('hget', rows, ARGV[1]) end
return found
"""

#: The first members of an order, which begin with their places and go on with their keys; and the rows of each key.
_PLACES: Final = f"""
local found = {{}}
local members = redis.call('zrangebylex', KEYS[1], '(' .. ARGV[1] .. '~', '[' .. ARGV[2] .. '~', 'LIMIT', 0, ARGV[3])
for at, member in ipairs(members) do
    found[at] = {{member}}
    for kind = 2, #KEYS do
        found[at][kind] = redis.call('hget', KEYS[kind], string.sub(member, {PLACE_CHARACTERS + 1}))
    end
end
return found
"""

#: Keep a record in a list, or in the place of an earlier one, and let the oldest go where there is no room.
_KEEP: Final = f"""
local function keep(session, text, bytes_of_it, earlier)
    local texts, sizes, size = session .. ':journal', session .. ':journal:sizes', session .. ':journal:size'
    local more = bytes_of_it
    if earlier == '' then
        redis.call('rpush', texts, text)
        redis.call('rpush', sizes, bytes_of_it)
    else
        local place = redis.call('lpos', texts, earlier, 'RANK', -1)
        if not place then return end
        more = bytes_of_it - redis.call('lindex', sizes, place)
        redis.call('lset', texts, place, text)
        redis.call('lset', sizes, place, bytes_of_it)
    end
    local bytes = redis.call('hincrby', size, 'bytes', more)
    while redis.call('llen', texts) > {MAX_ENTRIES} or bytes > {MAX_BYTES} do
        redis.call('lpop', texts)
        bytes = redis.call('hincrby', size, 'bytes', -redis.call('lpop', sizes))
        redis.call('hincrby', size, 'dropped', 1)
    end
end
"""

#: How many records went, how many are kept, those at places of the list, and those from a number on.
_RECORDS: Final = """
if ARGV[1] ~= '' and redis.call('exists', KEYS[1]) == 0 then return false end
local texts = KEYS[1] .. ':journal'
local dropped = tonumber(redis.call('hget', texts .. ':size', 'dropped') or 0)
local again = {}
for at = 3, #ARGV do
    again[at - 2] = ARGV[at] - dropped > 0 and redis.call('lindex', texts, ARGV[at] - dropped - 1) or ''
end
local later = redis.call('lrange', texts, math.max(ARGV[2] - dropped, 0), -1)
return {dropped, redis.call('llen', texts), again, later}
"""

#: Write what has changed, and give the lock back. A script that is sent twice does it once. 0: the lock was lost.
_LEAVE: Final = f"""{_KEEP}
local lock, session, sessions, guests = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, name, is_new, is_written, used = ARGV[1], ARGV[2], ARGV[3] == '1', ARGV[4], ARGV[9]
if redis.call('get', lock) ~= token then
    return redis.call('hget', session, 'written') == token and 1 or 0
end
if is_new then
    for _, kind in ipairs(redis.call('smembers', session .. ':kinds')) do redis.call('del', session .. ':' .. kind) end
    redis.call('del', session, session .. ':kinds')
    redis.call('del', session .. ':journal', session .. ':journal:sizes', session .. ':journal:size')
    redis.call('srem', sessions, name)
    redis.call('zrem', guests, name)
end
if is_written == '1' then
    redis.call('hset', session, 'settings', ARGV[5], 'rest', ARGV[6])
    if is_new then redis.call('sadd', sessions, name) end
end
local places = 10 + 3 * ARGV[7]
local records = places + 3 * ARGV[8]
for at = 10, places - 1, 3 do
    local kind, key, text = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    if text == '' then
        redis.call('hdel', session .. ':' .. kind, key)
    else
        redis.call('sadd', session .. ':kinds', kind)
        redis.call('hset', session .. ':' .. kind, key, text)
    end
end
for at = places, records - 1, 3 do
    local kind, member, is_there = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    if is_there == '1' then
        redis.call('sadd', session .. ':kinds', kind)
        redis.call('zadd', session .. ':' .. kind, 0, member)
    else
        redis.call('zrem', session .. ':' .. kind, member)
    end
end
for at = records, #ARGV, 3 do keep(session, ARGV[at], ARGV[at + 1], ARGV[at + 2]) end
if used ~= '' then redis.call('zadd', guests, used, name) end
if is_written == '1' or used ~= '' or #ARGV > 9 then redis.call('hset', session, 'written', token) end
redis.call('del', lock)
return 1
"""

_RECORD: Final = f"""{_KEEP}
keep(redis.call('exists', KEYS[1]) == 1 and KEYS[1] or KEYS[2], ARGV[1], ARGV[2], ARGV[3])
"""


class RedisDatabase:
    """One Redis, found by its URL. Raises `UnusableStore`."""

    def __init__(self, url: str) -> None:
        #: When it is asked again.
        self._asked_again = 0.0
        try:
            self._connections = _Connections(url)
            self._told("SET", "safelight:form", _FORM, "NX")
            form = self._told("GET", "safelight:form")
        except (StoreGone, ValueError) as error:
            raise UnusableStore(error.reason if isinstance(error, StoreGone) else str(error)) from None
        if form != _FORM:
            raise UnusableStore("another version of Safelight has written what it holds: take another database of it")
        self._locks = _Locks(self._renewed)

    def enter(self, name: str, kinds: Sequence[str] = (), key: str = "") -> Found:
        """Take the lock of a session, and read it."""
        token = self._locks.take(name)
        try:
            settings, rest, *rows = self._locked(name, token, key, *kinds)
        except BaseException:
            self._locks.give_back(name)
            raise
        self._locks.hold(name)
        return Found(_document((settings, rest)), rows)

    def leave(self, name: str, changes: Changes | None) -> None:
        """Write all changes, and give the lock back."""
        token = self._locks.token(name)
        document, rows, is_new, records, placed, used = changes or Changes(None, (), is_new=False)
        places = [(kind, f"{place}{key}", int(is_there)) for kind, place, key, is_there in placed]
        arguments = [token, name, int(is_new), int(document is not None), *(document or ("", ""))]
        arguments += [len(rows), len(places), "" if used is None else used]
        arguments += ["" if value is None else value for part in (*rows, *places, *records) for value in part]
        try:
            is_done = self._run(_LEAVE, [_lock(name), _session(name), _SESSIONS, _GUESTS], arguments)
        finally:
            self._locks.give_back(name)
        if changes and not is_done:
            raise StoreGone("this process stood still for so long that it lost the session to another one")

    def read(self, name: str) -> Document | None:
        """The session as it is now."""
        return _document(self._told("HMGET", _session(name), "settings", "rest"))

    def row(self, name: str, kinds: Sequence[str], key: str) -> Sequence[str | None]:
        """The texts of the rows that have this key."""
        texts: Sequence[str | None] = self._run(_ROW, [f"{_session(name)}:{kind}" for kind in kinds], [key])
        return texts

    def rows(self, name: str, kind: str) -> Mapping[str, str]:
        """All rows of a kind."""
        return _pairs(self._told("HGETALL", f"{_session(name)}:{kind}"))

    def places(self, name: str, wanted: Wanted, kinds: Sequence[str] = ()) -> Sequence[FoundPlace]:
        """The first places of a kind, with rows of their keys, in one round trip."""
        keys = [f"{_session(name)}:{one}" for one in (wanted.kind, *kinds)]
        found = self._run(_PLACES, keys, wanted[1:])
        return [FoundPlace(one[:PLACE_CHARACTERS], one[PLACE_CHARACTERS:], rows) for one, *rows in found]

    def names(self) -> Sequence[str]:
        """The sessions that there are."""
        return list(self._told("SMEMBERS", _SESSIONS))

    def guests(self, most: int) -> Guests:
        """The sessions of guests."""
        return Guests(self._told("ZCARD", _GUESTS), self._told("ZRANGE", _GUESTS, 0, most - 1))

    def record(self, name: str, record: Record) -> None:
        """Keep a record."""
        self._run(_RECORD, [_session(name), _session("")], [record.text, record.size, record.earlier or ""])

    def records(self, name: str, after: int = 0, again: Collection[int] = ()) -> Records | None:
        """What was recorded after this number, and `again` what has these numbers."""
        before = sorted(number for number in again if number <= after)
        found = self._run(_RECORDS, [_session(name)], [name, after, *before])
        if not found:
            return None
        dropped, kept, texts, later = found
        numbered = [(number, text) for number, text in zip(before, texts, strict=True) if text]
        numbered.extend(enumerate(later, max(after, dropped) + 1))
        return Records(numbered, dropped, dropped + kept)

    def close(self) -> None:
        """Close the connections."""
        self._locks.stop()
        self._connections.close()

    def _locked(self, name: str, token: str, key: str, *kinds: str) -> Sequence[str | None]:
        """Wait for the lock; what was read with it."""
        deadline = time.monotonic() + _MAX_WAIT_SECONDS
        keys, arguments = [_lock(name), _session(name)], [token, _LOCK_MILLISECONDS, key, *kinds]
        while time.monotonic() < deadline:
            found: Sequence[str | None] = self._run(_ENTER, keys, arguments)
            if found:
                return found
            time.sleep(uniform(*_LOOKS))
        raise StoreGone("another process holds the session for too long")

    def _renewed(self, name: str, token: str) -> None:
        with suppress(StoreGone):
            self._run(_RENEW, [_lock(name)], [token, _LOCK_MILLISECONDS])

    def _run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """What a script gives. Redis knows it by its digest, until it is started anew."""
        rest = len(keys), *keys, *arguments
        try:
            return self._told("EVALSHA", _digest(script), *rest)
        except NoScriptError:
            return self._told("EVAL", script, *rest)

    def _told(self, *command: Any) -> Any:
        """What Redis answers to a command. Raises `StoreGone`."""
        if time.monotonic() < self._asked_again:
            raise StoreGone("Redis: it did not answer a moment ago")
        try:
            return self._connections.ask(command)
        except NoScriptError:
            raise
        except TimeoutError as error:
            self._asked_again = time.monotonic() + _REST_SECONDS
            raise StoreGone(f"Redis: {error}") from None
        except (RedisError, OSError) as error:
            raise StoreGone(f"Redis: {_sentence(error)}") from None


#: What Redis refuses -> what to do about it.
_SENTENCES: Final[Mapping[type[Exception], str]] = {
    AuthenticationError: "it wants another user or password: redis://USER:PASSWORD@HOST:PORT/0",
    ReadOnlyError: "it is a replica, to which nobody can write: name the primary",
    OutOfMemoryError: "its memory is full: set a larger maxmemory, or empty it",
}


def _sentence(error: Exception) -> str:
    return next((said for kind, said in _SENTENCES.items() if isinstance(error, kind)), str(error))


class _Connections:
    """Those that nobody uses, the one that was used last on top. The client of `redis` takes 60 us more a command."""

    def __init__(self, url: str) -> None:
        #: It knows how they are made, and has none.
        self._pool: Any = ConnectionPool.from_url(
            url,
            decode_responses=True,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._idle: LifoQueue[Any] = LifoQueue()

    def ask(self, command: Sequence[Any]) -> Any:
        """What is answered. A connection that was open when Redis went away is made anew, once."""
        connection = self._connection()
        try:
            with suppress(ConnectionError):
                return _answer(connection, command)
            return _answer(connection, command)
        finally:
            self._idle.put(connection)

    def close(self) -> None:
        """Close them all. They are made anew when they are needed."""
        with suppress(Empty):
            while True:
                self._idle.get_nowait().disconnect()

    def _connection(self) -> Any:
        with suppress(Empty):
            return self._idle.get_nowait()
        return self._pool.connection_class(**self._pool.connection_kwargs)


def _answer(connection: Any, command: Sequence[Any]) -> Any:
    connection.send_command(*command)
    return connection.read_response()


@cache
def _digest(script: str) -> str:
    return sha1(script.encode(), usedforsecurity=False).hexdigest()


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
_GUESTS: Final = "safelight:guests"


def _session(name: str) -> str:
    return f"safelight:session:{name}"


def _lock(name: str) -> str:
    return f"safelight:lock:{name}"


def _pairs(found: Mapping[str, str] | Sequence[str]) -> Mapping[str, str]:
    """A mapping as Redis answers it: itself, or names and values in turn, which its older protocol has."""
    return found if isinstance(found, Mapping) else dict(zip(found[::2], found[1::2], strict=True))


def _document(found: Sequence[str | None]) -> Document | None:
    settings, rest = found
    return None if settings is None or rest is None else Document(settings, rest)
