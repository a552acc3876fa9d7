"""A fake as the settings of a command describe it: `serve` and `exec` share it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import randrange
from typing import TYPE_CHECKING

from safelight.contracts.dialects import PATHS
from safelight.mockserver.model.clock import AdjustableClock
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.settings import Settings, User
from safelight.mockserver.service.service import Service
from safelight.mockserver.transports.asgi import create_app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.applications import Starlette

    from safelight.cli._settings import CommandOptions
    from safelight.mockserver.control.control import Control
    from safelight.mockserver.service.service import Listener
    from safelight.mockserver.storage.store import Store


@dataclass(frozen=True, slots=True)
class Fake:
    """The core, the key to announce, and the transport."""

    api: Service
    key: str = field(repr=False)
    seed: int
    #: The path of the entry point.
    path: str
    #: Name -> key, of those in the config file.
    users: Mapping[str, str] = field(repr=False)
    cors: bool
    body_limit: int
    #: Sessions that the store had.
    taken_over: int = 0

    def adopt(self, before: CommandOptions, after: CommandOptions, *, with_sessions: bool = True) -> None:
        """Let sessions to come go by other options, and those open that nobody has given others; they lose nothing."""
        self.api.sessions.settings = after.settings
        self.api.sessions.clock = lambda: AdjustableClock(after.values["speed"])
        if not with_sessions:
            return
        old, new = _users(before), _users(after)
        gone = {key: replace(after.settings, user=old[key].user, revoked=True) for key in old.keys() - new.keys()}
        back = new.keys() - old.keys()
        for key in back:
            self.api.sessions.open(key, new[key], anew=False)
        for session in self.api.sessions.each():
            now, then = old.get(session.key, before.settings), (new | gone).get(session.key, after.settings)
            if session.key in back and session.settings.revoked:  # as a user whom an earlier state of the file had not
                now = session.settings
            session.adopt(now, then)
            session.rescale(before.values["speed"], after.values["speed"])

    def app(self, control: Control | None) -> Starlette:
        """The core as an ASGI application, controlled through `control`."""
        return create_app(self.api, cors=self.cors, body_limit=self.body_limit, control=control)


def fake_of(options: CommandOptions, listener: Listener | None = None, store: Store | None = None) -> Fake:
    """The fake that the options of a command describe. A session that the store has goes on as it is."""
    values = options.values
    seed = randrange(10**6) if values["seed"] is None else values["seed"]
    clock = lambda: AdjustableClock(values["speed"])  # noqa: E731 - one for each session
    public_url = values.get("public_url") or ""
    flags = {name: values[name] for name in ("any_key", "openapi_paths")}
    api = Service(
        settings=options.settings,
        seed=seed,
        clock=clock,
        listener=listener,
        store=store,
        public_url=public_url,
        **flags,
    )
    before = len(api.sessions.store.names())
    keys = _users(options)
    for key, settings in keys.items():
        api.sessions.open(key, settings, anew=False)
    accepted = [key for key, settings in keys.items() if not settings.revoked]
    key = values["api_key"] or next(iter([*accepted, *keys]), FAKE_KEY)
    session = api.sessions.open(key, keys.get(key), anew=False)
    users = {name: user["key"] for name, user in (values["users"] or {}).items()}
    return Fake(api, key, session.data.seed, PATHS[values["path"]], users, values["cors"], values["body_limit"], before)


def _users(options: CommandOptions) -> dict[str, Settings]:
    """Key -> settings, for each user of the config file."""
    keys: dict[str, Settings] = {}
    for number, (name, own) in enumerate((options.values["users"] or {}).items(), 1):
        more = {member: own[member] for member in ("balance", "revoked") if member in own}
        keys[own["key"]] = replace(options.settings, user=User(own.get("id", number), name), **more)
    return keys
