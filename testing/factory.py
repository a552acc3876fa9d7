"""What the fixtures of the pytest plugin are made of: the server of a run, a key for each test, and the factory."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, contextmanager
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any, Unpack, cast

from safelight.mockserver.model.messages import Request
from safelight.mockserver.sessions.opening import checked
from safelight.testing.external import ExternalServer, Server, skip_what_needs_the_fake
from safelight.testing.guard import guard
from safelight.testing.options import opened
from safelight.testing.session import Safelight
from safelight.testing.shared import SharedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from safelight.mockserver.sessions.keywords import MarkerKeywords


@contextmanager
def open_host() -> Iterator[SharedServer]:
    """A server that has answered once: what is loaded for the first answer costs no test its deadline."""
    with SharedServer() as host:
        with opened(host, key_of("the first answer"), {"virtual_time": True}) as api:
            headers = {"x-api-key": api.api_key}
            host.api.handle(Request("POST", "/", "endpoint=image_generation", headers, b'{"prompt": "a lamp"}'))
            host.api.handle(Request("GET", "/", f"endpoint=task_status&task_id={api.tasks[0].id}", headers))
        yield host


def key_of(name: str) -> str:
    """A key in the published form, the same for the same name."""
    return f"sk-{sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:48]}"


class Factory:
    """`with safelight_factory(queued=2) as api:` is a fresh session, as many as you like in one test.

    Each gets the same key, and so the same ids, as the one before it in the same test: examples can be repeated.
    """

    def __init__(
        self,
        at: SharedServer | Server,
        test: Callable[[], str],
        used: Callable[[Safelight], None],
        allowed: Sequence[str],
        *,
        virtual_time: bool = False,
    ) -> None:
        self._at, self._test, self._used = at, test, used
        #: Sessions are patient unless they say otherwise.
        self._virtual_time = virtual_time
        #: Hosts that clients may connect to.
        self.allowed = allowed
        self._keys: set[str] = set()

    def __call__(self, **told: Unpack[MarkerKeywords]) -> AbstractContextManager[Safelight]:
        """The options of the marker `safelight`. A block that ends well is judged: the client kept the contract.

        Whether each fault struck is not judged, as it need not in every example: call `assert_plan_delivered()`.
        """
        own = checked(told)
        if self._virtual_time and not {"virtual_time", "speed"} & own.keys():
            own = checked({**own, "virtual_time": True})
        return _Opening(self, own)

    def open(self, told: Mapping[str, Any]) -> Safelight | ExternalServer:
        """A session with the first key of the running test that no open session has."""
        if isinstance(self._at, Server):
            skip_what_needs_the_fake(told, self._at)
            return ExternalServer(self._at)
        test = self._test()
        key = next(key for n in count(1) if (key := key_of(f"{test} {n}")) not in self._keys)
        self._keys.add(key)
        api = opened(self._at, key, told)
        self._used(api)
        return api

    def close(self, api: Safelight | ExternalServer) -> None:
        """End a session; the next one gets its key."""
        api.__exit__()
        self._keys.discard(api.api_key)


class _Opening:
    """A session while its block runs. Not a generator: a failure is then shown at the block, not within contextlib."""

    def __init__(self, factory: Factory, told: Mapping[str, Any]) -> None:
        self._factory, self._told = factory, told
        self._api: Safelight | ExternalServer | None = None

    def __enter__(self) -> Safelight:
        if self._api is not None:
            raise RuntimeError("this block was entered before: call safelight_factory(...) for each `with`")
        with ExitStack() as opening:
            opening.enter_context(guard(self._factory.allowed))
            self._api = self._factory.open(self._told)
            self._open = opening.pop_all()
        return cast("Safelight", self._api.__enter__())

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        __tracebackhide__ = True
        assert self._api is not None
        self._open.close()
        self._factory.close(self._api)
        if kind is None and isinstance(self._api, Safelight) and self._told.get("contract", True):
            self._api.assert_contract_kept()
