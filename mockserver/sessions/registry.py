"""The sessions by their keys: opened, found and closed, and those of any key, of which a number is kept."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Final

from safelight.contracts.secrets import is_plain_key, with_keys
from safelight.mockserver.model.keys import FORM, fingerprint
from safelight.mockserver.sessions.session import EnteredSession, Session, new_state
from safelight.mockserver.storage.store import NoSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from safelight.mockserver.model.clock import Clock
    from safelight.mockserver.model.session_state import Bounds, SessionState
    from safelight.mockserver.model.settings import Settings
    from safelight.mockserver.storage.store import Store

#: Sessions that are kept where any key is welcome.
MAX_GUEST_SESSIONS: Final = 1_000

#: Characters of a key that is not a word which may stand anywhere.
MIN_SECRET_CHARACTERS: Final = 8

#: Guest sessions that are tried when another one comes: however many there are, that takes no longer.
_MAX_EVICTION_TRIES: Final = 16

#: Sessions whose keys are looked for in a request that came with none of them.
_MAX_LOOKED_AT: Final = 16


class Registry:
    """The sessions of a store. A session is called by the fingerprint of its key."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        seed: int,
        clock: Callable[[], Clock],
        any_key: bool,
        bounds: Bounds,
    ) -> None:
        self.store = store
        #: Those of sessions that are opened without others.
        self.settings = settings
        #: Makes the clock of a session that is opened without one.
        self.clock = clock
        self._seed, self._any_key, self._bounds = seed, any_key, bounds
        #: Secrets that no form tells from other texts, such as keys of open sessions: nothing written down holds one.
        self.secrets: frozenset[str] = frozenset()
        #: Keys of guests, whichever process has opened their sessions, and when it is time to look which have ended.
        self._guest_keys: set[str] = set()
        self._many_guest_keys = 2 * MAX_GUEST_SESSIONS
        self._welcoming, self._hiding = Lock(), Lock()
        if store.does_io:
            self._take_over()

    def _take_over(self) -> None:
        """Know the keys of the sessions that an earlier server has left in the store, or another one works with."""
        for name in self.store.names():
            if state := self.store.look(name):
                self.hide(state.key)

    def open(
        self,
        key: str,
        settings: Settings | None = None,
        clock: Clock | None = None,
        seed: int | None = None,
        *,
        anew: bool = True,
        is_guest: bool = False,
    ) -> Session:
        """Open the session of a key, or begin it anew, unless it goes on where it is open.

        Gives it to be read alone; `ValueError` where this is no key.
        """
        if not isinstance(key, str) or not FORM.fullmatch(key):  # type: ignore[redundant-expr]  # what people give
            raise ValueError("this is no API key: a header carries 1 to 200 visible ASCII characters")
        seed = self._seed if seed is None else seed
        with self.store.transaction(fingerprint(key)) as transaction:
            state = transaction.state
            if state is None or anew:
                is_guest = state.is_guest if state else is_guest
                settings, clock = settings or self.settings, clock or self.clock()
                state = new_state(key, settings, clock, seed, self._bounds, is_guest=is_guest)
                transaction.begin(state)
            self.hide(key)
            return Session(state)

    def hide(self, secret: str) -> None:
        """From now on nothing that is written down holds this text."""
        if secret not in self.secrets and len(secret) >= MIN_SECRET_CHARACTERS and not is_plain_key(secret):
            with self._hiding:
                self.secrets |= {secret}

    def close(self, key: str) -> None:
        """Forget a session and all that it kept. Its key is unknown from now on."""
        with self._hiding:
            self.secrets -= {key}
        with self.store.transaction(fingerprint(key)) as transaction:
            transaction.end()

    def look(self, key: str) -> SessionState | None:
        """The session of a key as it is now, to be read alone. Where any key is welcome, it is opened."""
        if not key:
            return None
        name = fingerprint(key)
        state = self.store.look(name)
        if state is None and self._is_welcome(key):
            self._welcome(key)
            state = self.store.look(name)
        if state and self.store.does_io:
            self.hide(key)  # another process may have opened it
            if state.is_guest:
                self._note_guest(key)
        return state

    @contextmanager
    def entered(self, key: str, about: str) -> Iterator[None]:
        """While the block runs, all that is asked of the session of a key is one transaction, about this task.

        Where any key is welcome, the session is opened before: to make room for it, sessions of others are entered.
        """
        while True:
            with self.store.transaction(fingerprint(key), about) as transaction:
                if transaction.state or not self._is_welcome(key):
                    yield
                    return
            self._welcome(key)

    def enter(self, key: str) -> EnteredSession:
        """The session of a key while a block runs. Raises `NoSession`."""
        self.look(key)
        return EnteredSession(self.store, fingerprint(key))

    def each(self) -> Iterator[Session]:
        """Each session, within its transaction while it is had."""
        for name in self.store.names():
            with suppress(NoSession), EnteredSession(self.store, name) as session:
                yield session

    def few_keys(self) -> Sequence[str]:
        """The keys of the sessions, where looking at them is quick: in memory, and few."""
        names = () if self.store.does_io else self.store.names()
        found = map(self.store.look, names) if len(names) <= _MAX_LOOKED_AT else ()
        return [state.key for state in found if state]

    def only_settings(self) -> Settings:
        """The settings of the only session that there is; of none or several, those of the registry.

        So are those of sessions outside of this process: who asks may be one that cannot wait.
        """
        names = () if self.store.does_io else self.store.names()
        only = self.store.look(names[0]) if len(names) == 1 else None
        return only.settings if only else self.settings

    def _is_welcome(self, key: str) -> bool:
        """Whoever brings this key has a session."""
        return self._any_key and FORM.fullmatch(key) is not None

    def _welcome(self, key: str) -> None:
        """Open the session of any key: once, however many threads bring the key at the same time."""
        name = fingerprint(key)
        with self._welcoming:
            if self.store.look(name) is None:
                self.open(key, anew=False, is_guest=True)  # another process may have been faster
                self._make_room(name)

    def _note_guest(self, key: str) -> None:
        """Another process may end the session: now and then, forget the keys of those that have."""
        self._guest_keys.add(key)
        if len(self._guest_keys) > self._many_guest_keys:
            names = {*self.store.names()}
            gone = {key for key in list(self._guest_keys) if fingerprint(key) not in names}
            self._guest_keys -= gone
            with self._hiding:
                self.secrets -= gone
            self._many_guest_keys = 2 * max(MAX_GUEST_SESSIONS, len(self._guest_keys))

    def _make_room(self, own: str) -> None:
        """Close idle sessions of guests, the least recently used first, where the store has too many.

        Whoever is not idle is asked again when all others were: to enter a session is to use it.
        """
        number, names = self.store.guests(_MAX_EVICTION_TRIES)
        for name in names[: max(0, number - MAX_GUEST_SESSIONS)]:
            with suppress(NoSession), EnteredSession(self.store, name) as session:
                if name != own and session.is_idle():
                    self.close(session.key)


def secrets_of(known: AbstractSet[str], session_key: str, sent_key: str) -> AbstractSet[str]:
    """What nothing written down of a request may hold: these secrets, its session's key, and the key it came with."""
    own = sent_key if len(sent_key) >= MIN_SECRET_CHARACTERS else ""  # nobody knows it here, and it may be real
    return with_keys(known, session_key, own)
