"""What a setting is: a row with a reader, how several are read together, and what does not go together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from safelight.contracts.wording import did_you_mean, listed, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Schema = dict[str, Any]


@dataclass(eq=False)
class WrongSetting(ValueError):
    """A value is none that its setting takes, or settings do not go together."""

    #: Names and indices that lead to the value; empty where settings contradict each other.
    path: tuple[str, ...]
    reason: str
    #: The settings that contradict each other.
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ": ".join(filter(None, [".".join(self.path), self.reason]))


@dataclass(frozen=True, slots=True)
class Reader:
    """How a value is read."""

    #: What a value means. Raises `ValueError` with a sentence.
    read: Callable[[Any], Any]
    #: What is taken.
    schema: Schema
    #: What stands for a value in a usage line.
    form: str = ""
    #: A text of the command line as a value to read; None: it has no form there.
    parse: Callable[[str], Any] | None = None
    #: What the texts of a repeatable option make together.
    gather: Callable[[Iterable[Any]], Any] | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A row: a setting's name, what it is, how its value is read, and an example of one."""

    name: str
    summary: str
    reader: Reader
    example: Any
    #: What a command takes where it is given none, and how help calls that.
    default: Any = None
    usual: str = field(default="", kw_only=True)
    #: An environment variable that gives it to a command.
    variable: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Settings that do not go together: name -> the value that does not; `...` for any."""

    values: Mapping[str, Any]
    reason: str

    def holds(self, given: Mapping[str, Any]) -> bool:
        """All of them are given."""
        return all(name in given and (value is ... or given[name] == value) for name, value in self.values.items())

    @property
    def schema(self) -> Schema:
        """What a document keeps in which they go together."""
        fixed = {name: {"const": value} for name, value in self.values.items() if value is not ...}
        return {"description": self.reason, "not": {"required": list(self.values), "properties": fixed}}


def read(
    given: Mapping[str, Any], rows: Mapping[str, Setting], conflicts: Iterable[Conflict] = (), *, kind: str = "setting"
) -> dict[str, Any]:
    """Name -> what the value means. Raises `WrongSetting`."""
    for name in given:
        if name not in rows:
            near = did_you_mean(name, rows) or f": there are {listed(rows)}"
            raise WrongSetting((), f"{named([name])} is no {kind}{near}", (str(name),))
    found = {name: read_at(name, rows[name].reader, value) for name, value in given.items()}
    for conflict in conflicts:
        if conflict.holds(found):
            raise WrongSetting((), conflict.reason, tuple(conflict.values))
    return found


def schema_of(rows: Mapping[str, Setting], conflicts: Iterable[Conflict] = ()) -> Schema:
    """An object that has some of these settings."""
    members = {name: {"description": f"{row.summary}.", **row.reader.schema} for name, row in rows.items()}
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": members}
    return schema | ({"allOf": [one.schema for one in conflicts]} if conflicts else {})


def read_at(name: object, reader: Reader, value: Any) -> Any:
    """What the value of this name or index means; what is wrong with it begins with the name."""
    try:
        return reader.read(value)
    except WrongSetting as wrong:
        raise WrongSetting((str(name), *wrong.path), wrong.reason, wrong.names) from None
    except ValueError as error:
        raise WrongSetting((str(name),), str(error)) from None
