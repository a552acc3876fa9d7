"""JSON Schemas made from the table of settings: of the config file, and of the body that opens a session."""

from __future__ import annotations

import re
from typing import Any, Final

from safelight.mockserver.sessions.setting import Schema, schema_of
from safelight.mockserver.sessions.table import CONFLICTS, CONTROL, SERVE

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def config_schema() -> Schema:
    """The config file of `serve`. Names have dashes; underscores are taken too, but no editor offers them."""
    conflicts = [one for one in CONFLICTS if one.values.keys() <= SERVE.keys()]
    schema: Schema = _dashed(schema_of(SERVE, conflicts))
    return {"$schema": _DIALECT, "title": "Config file of safelight serve", **schema}


def session_schema() -> Schema:
    """The body of `PUT /_safelight/session`, as far as types and limits go. The readers say the rest in sentences."""
    made: Schema = _plain(schema_of(CONTROL))
    return {"$schema": _DIALECT, "$id": "session.json", "title": "Settings of a session", **made}


def written(text: str) -> str:
    """A sentence or a name as people write settings on the command line and in the config file: with dashes."""
    return _UNDERSCORED.sub(lambda found: found[0].replace("_", "-"), text)


_UNDERSCORED: Final = re.compile(rf"\b({'|'.join(name for name in SERVE if '_' in name)})\b")


def _dashed(node: Any) -> Any:
    match node:
        case {"properties": dict(members), **rest}:
            named = {written(name): _dashed(member) for name, member in members.items()}
            other = {f"^{name}$": named[written(name)] for name in members if written(name) != name}
            also = {"patternProperties": other} if other else {}
            return {**{name: _dashed(part) for name, part in rest.items()}, "properties": named, **also}
        case dict():
            return {name: _dashed(part) for name, part in node.items()}
        case list():
            return [_dashed(part) for part in node]
        case str():
            return written(node)
    return node


def _plain(node: Any) -> Any:
    match node:
        case dict():
            return {name: _plain(part) for name, part in node.items() if name not in ("pattern", "allOf", "anyOf")}
        case list():
            return [_plain(part) for part in node]
    return node
