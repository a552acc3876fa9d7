"""What the fixtures of the pytest plugin are made of: the server of a run, a session for each test, and the factory."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, contextmanager
from hashlib import sha256
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any, Unpack

from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.messages import Request
from safelight.mockserver.sessions.opening import checked, settings
from safelight.mockserver.sessions.table import SESSION
from safelight.testing.backends.controlled import ControlledBackend, is_controllable
from safelight.testing.backends.external import ExternalBackend, Server, skip_what_needs_the_fake
from safelight.testing.backends.shared import SharedBackend, chosen_clock
from safelight.testing.backends.shared_server import SharedServer
from safelight.testing.guard import guard
from safelight.testing.judgement import switches_of
from safelight.testing.markers import with_virtual_time
from safelight.testing.safelight import Safelight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from safelight.mockserver.sessions.keywords import MarkerKeywords
    from safelight.testing.backends import Backend


@contextmanager
def open_server(*, plain_pictures: bool = False) -> Iterator[SharedServer]:
    """A server that has answered once: what is loaded for the first answer costs no test its deadline."""
    import_module("safelight.mockserver.transports.asgi")
    import_module("safelight.mockserver.transports.server")
    with SharedServer(plain_pictures=plain_pictures) as server:
        with shared_backend(server, key_of("the first answer"), {"virtual_time": True}) as session:
            headers = {"x-api-key": session.api_key}
            server.api.handle(Request("POST", "/", "endpoint=image_generation", headers, b'{"prompt": "a lamp"}'))
            server.api.handle(Request("GET", "/", f"endpoint=task_status&task_id={session.tasks[0].id}", headers))
        yield server


def key_of(name: str) -> str:
    """A key in the published form, the same for the same name."""
    return f"sk-{sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:48]}"


def shared_backend(
    server: SharedServer, key: str, options: Mapping[str, Any], seed: int | None = None
) -> SharedBackend:
    """A session on this server; the options are checked ones.

    It is on a virtual clock, and in virtual time unless the options turn that off: whoever waits, waits in no time.
    """
    own = {name: value for name, value in options.items() if name in SESSION}
    speed = options.get("speed")
    virtual_time = options.get("virtual_time", speed is None)
    given = VirtualClock() if speed is None and not virtual_time else None
    clock = chosen_clock(given, virtual_time=virtual_time, speed=speed)
    return SharedBackend(server, key, settings(own), clock=clock, virtual_time=virtual_time, seed=seed)


def backend_at(server: SharedServer | Server, key: str, options: Mapping[str, Any]) -> Backend:
    """A session on the server of the run, or on the user's own, where a test that needs a fake may be skipped."""
    if isinstance(server, SharedServer):
        return shared_backend(server, key, options)
    if is_controllable(server):
        return ControlledBackend(server, key, options)
    skip_what_needs_the_fake(options, server)
    return ExternalBackend(server)


class Factory:
    """`with safelight_factory(queued=2) as api:` is a fresh session, as many as you like in one test.

    Each gets the same key, and so the same ids, as the one before it in the same test: examples can be repeated.
    """

    def __init__(
        self,
        server: SharedServer | Server,
        test: Callable[[], str],
        used: Callable[[Safelight], None],
        allowed: Sequence[str],
        *,
        virtual_time: bool = True,
    ) -> None:
        self._server, self._test, self._used = server, test, used
        #: Sessions have virtual time unless this or their own options say otherwise.
        self._virtual_time = virtual_time
        #: Hosts that clients may connect to.
        self.allowed = allowed
        self._keys: set[str] = set()

    def __call__(self, **options: Unpack[MarkerKeywords]) -> AbstractContextManager[Safelight]:
        """The options of the marker `safelight`. A block that ends well is judged: the client made no mistake.

        Whether each fault struck is not judged, as it need not in every example: call `assert_plan_delivered()`.
        """
        own = checked(options)
        return _Opening(self, with_virtual_time(own, self._virtual_time))

    def open(self, options: Mapping[str, Any]) -> Backend:
        """A session with the first key of the running test that no open session has."""
        test = self._test()
        key = next(key for n in count(1) if (key := key_of(f"{test} {n}")) not in self._keys)
        backend = backend_at(self._server, key, options)
        self._keys.add(key)
        return backend

    def opened(self, backend: Backend) -> Safelight:
        """The API of a session, which is the one whose transcript a report has."""
        api = Safelight(backend=backend)
        if backend.is_fake:
            self._used(api)
        return api

    def close(self, backend: Backend) -> None:
        """End a session; the next one gets its key."""
        backend.__exit__()
        self._keys.discard(backend.api_key)


class _Opening:
    """A session while its block runs. Not a generator: a failure is then shown at the block, not within contextlib."""

    def __init__(self, factory: Factory, options: Mapping[str, Any]) -> None:
        self._factory, self._options = factory, options
        self._api: Safelight | None = None

    def __enter__(self) -> Safelight:
        if self._api is not None:
            raise RuntimeError("this block was entered before: call safelight_factory(...) for each `with`")
        with ExitStack() as opening:
            opening.enter_context(guard(self._factory.allowed))
            self._backend = self._factory.open(self._options)
            opening.callback(self._factory.close, self._backend)
            self._api = self._factory.opened(self._backend.__enter__())
            self._open = opening.pop_all()
        return self._api

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        __tracebackhide__ = True
        assert self._api is not None
        self._open.close()
        if kind is None:
            self._api.assert_client_ended()
            if self._backend.is_fake:
                self._api.assert_no_mistake(**switches_of(self._options))
