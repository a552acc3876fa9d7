"""The users of a config file: `[users.NAME]` is a key with a balance of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from safelight.cli._config import config_of
from safelight.cli._toml import written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import click

    from safelight.cli._toml import Config
    from safelight.mockserver.model.settings import Settings


@dataclass(frozen=True, slots=True)
class ConfiguredUser:
    """A user: the name, the key, and the settings of its session."""

    name: str
    key: str = field(repr=False)
    settings: Settings


def config_users(ctx: click.Context, settings: Settings) -> list[ConfiguredUser]:
    """The users of the command's config file, in its order; what a table leaves out is as in `settings`."""
    config = config_of(ctx)
    tables = config.says("users") if config else None
    if not config or tables is None:
        return []
    if not isinstance(tables, dict):
        raise config.mistake(_FORM, "users")
    users = [_user(config, name, number, settings) for number, name in enumerate(tables, 1)]
    _check_keys(config, users)
    return users


_NAME: Final = re.compile(r"[\w.@ -]{1,40}")
_LIKE_A_KEY: Final = re.compile(r"sk-\w{8}")
_FORM: Final = "write each user as a table: [users.alice], with a key"


def _user(config: Config, name: str, number: int, settings: Settings) -> ConfiguredUser:
    from safelight.mockserver.model.settings import User

    if not _NAME.fullmatch(name) or _LIKE_A_KEY.match(name):
        raise config.mistake("the name of a user is 1 to 40 letters, digits, dots or dashes, and no key", "users", name)
    table = config.says("users", name)
    if not isinstance(table, dict):
        raise config.mistake(_FORM, "users", name)
    said = {member: _said(config, name, member) for member in table}
    if "key" not in said:
        raise config.mistake(f"the user {name} has no key: write key = 'sk-...'", "users", name)
    user = User(said.pop("id", number), name)
    return ConfiguredUser(name, said.pop("key"), replace(settings, user=user, **said))


def _said(config: Config, name: str, member: str) -> Any:
    from safelight.contracts.wording import did_you_mean, listed

    where = "users", name, member
    if member not in _MEMBERS:
        near = did_you_mean(member, _MEMBERS) or f": it has {listed(_MEMBERS)}"
        raise config.mistake(f"a user has no {written(member)!r}{near}", *where)
    try:
        return _MEMBERS[member](config.says(*where))
    except ValueError as error:
        raise config.mistake(f"{member}: {error}", *where) from None


def _key(value: object) -> str:
    from safelight.mockserver.model.keys import FORM

    if not isinstance(value, str) or not FORM.fullmatch(value):
        raise ValueError("a key is a text of 1 to 200 visible ASCII characters, as it has to fit into a header")
    return value


def _id(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST_ID:
        raise ValueError("an id is a whole number, 0 or more, of at most 15 digits")
    return value


_MOST_ID: Final = 10**15


def _balance(value: object) -> Any:
    from safelight.mockserver.model.credits import credits_of

    return credits_of(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("write true or false")  # noqa: TRY004 - as all
    return value


#: What a table says -> how it is read. Raises `ValueError` with a sentence, without the key.
_MEMBERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "key": _key,
    "id": _id,
    "balance": _balance,
    "revoked": _flag,
}


def _check_keys(config: Config, users: list[ConfiguredUser]) -> None:
    """Each user has a key of its own: a key is a world."""
    owners: dict[str, str] = {}
    for user in users:
        other = owners.setdefault(user.key, user.name)
        if other != user.name:
            raise config.mistake(f"{user.name} has the key of {other}: each user needs one", "users", user.name, "key")
