"""What a shell offers where a value is completed: words of the registries, each with what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safelight.mockserver.faults.catalogue import faults, first_line
from safelight.traffic.request_kinds import WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import click
    from click.shell_completion import CompletionItem

    from safelight.mockserver.sessions.setting import Setting


def offered(
    known: Callable[[str], Mapping[str, str]],
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Completion of a parameter: from what is typed, its words and what each means. Asked by a shell alone."""

    def complete(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:  # noqa: ARG001 - click's
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell that completes needs it

        return [CompletionItem(word, help=about) for word, about in known(typed).items() if word.startswith(typed)]

    return complete


def words_of(row: Setting) -> Callable[[str], Mapping[str, str]]:
    """The words that a setting takes, where its schema lists them, or it is a fault rule."""
    return _starts_of_rules if row.reader.form == "RULE" else lambda _: dict.fromkeys(_listed(row.reader.schema), "")


def _listed(schema: Mapping[str, Any]) -> list[str]:
    names = [f"{name}=" for name in schema.get("properties", ())]
    return names + [str(word) for word in schema.get("items", schema).get("enum", ())]


def _starts_of_rules(typed: str) -> Mapping[str, str]:
    """A kind of request; once that is there, each fault."""
    kind, colon, _ = typed.partition(":")
    if not colon:
        return {f"{word}:": "" for word in WORDS}
    return {f"{kind}: {name}": first_line(made) for name, made in faults().items()}
