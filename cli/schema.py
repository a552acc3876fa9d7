"""`safelight schema`: read, export and apply the contract's schemas."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from safelight.cli._commands import Group
from safelight.cli._completion import offered
from safelight.cli._config import shown_path
from safelight.cli._unusable import Unusable
from safelight.conformance.report.document import schema_text
from safelight.contracts import advice, names, openapi, parse, rules, schema
from safelight.contracts.schemas import UnknownSchema, text, texts
from safelight.contracts.validation import violations
from safelight.contracts.wording import nearest, shown
from safelight.mockserver.sessions.schemas import config_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


#: Bytes that are read to be checked.
MAX_DOCUMENT_BYTES: Final = 100_000_000

#: Violations that are reported: nobody reads more, and to find them all can take long.
MAX_VIOLATIONS: Final = 1_000

#: How a shell completes the name of a schema.
_NAMES: Final = offered(lambda _: {name: schema(name)["title"] for name in names()})


@click.group(cls=Group)
def command() -> None:
    """Show, export and apply the schemas of the contract."""


@command.command("list")
def list_() -> None:
    """List the schemas: name, title, number of rules."""
    _print_columns((name, schema(name)["title"], f"{len(rules(name))} rules") for name in names())


@command.command()
@click.argument("name", shell_complete=_NAMES)
def show(name: str) -> None:
    """Print the schema NAME, as its file has it."""
    _print(_text(name), end="")


@command.command("rules")
@click.argument("name", required=False, shell_complete=_NAMES)
def rules_(name: str | None) -> None:
    """List the rules: id, provenance, limit.

    With NAME, those that a document of this schema can break.
    """
    if name is not None:
        _text(name)
    _print_columns((rule.id, rule.provenance, rule.form or _limit(rule.keyword, rule.limit)) for rule in rules(name))


@command.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite files that differ.")
def export(directory: Path, *, force: bool) -> None:
    """Write all schemas to DIR, for other languages and tools."""
    wanted = {directory / f"{name}.json": text.encode() for name, text in texts().items()}
    try:
        _export(directory, wanted, force=force)
    except OSError as error:
        raise Unusable(f"cannot write to {shown_path(directory)}: {error.strerror}") from None


@command.command("openapi")
@click.option("--paths", is_flag=True, help="A path for each operation, as `serve --openapi-paths` has them.")
def openapi_(*, paths: bool) -> None:
    """Print the contract as an OpenAPI 3.1 document."""
    _print(json.dumps(openapi(paths=paths), indent=2, ensure_ascii=False))


@command.command()
def config() -> None:
    """Print the schema of the config file of `safelight serve`, with which editors complete it."""
    _print(json.dumps(config_schema(), indent=2, ensure_ascii=False))


@command.command()
def report() -> None:
    """Print the schema of a report, as `--json FILE` of a `safelight check` writes it."""
    _print(schema_text(), end="")


@command.command()
@click.argument("name", shell_complete=_NAMES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
def check(name: str, files: tuple[Path, ...]) -> None:
    """Check each FILE against the schema NAME.

    A FILE holds a JSON document; `-` is standard input. The exit status is 0 if all documents keep the
    contract, 1 with one line for each violation, and 2 if there is nothing to check.
    """
    _text(name)
    many = len(files) > 1
    wrong = [file for file in files if not _keeps(name, file, f"{shown_path(file)}: " if many else "")]
    if wrong:
        raise SystemExit(1)
    _print(f"ok: {len(files)} documents keep {name}" if many else f"ok: the document keeps {name}")


def _keeps(name: str, file: Path, where: str) -> bool:
    """Print what is wrong with a document and what is to be noted, each after `where`; whether it keeps the schema."""
    parsed = parse(_read(file))
    inside = violations(name, parsed.document, max_violations=MAX_VIOLATIONS + 1) if parsed.is_complete else ()
    found = [*parsed.violations, *inside]
    for violation in found[:MAX_VIOLATIONS]:
        _print(f"{where}{violation.message} [{violation.rule}, {violation.provenance}]")
    if len(found) > MAX_VIOLATIONS:
        _print(f"note: {where}there are more; these are the first {MAX_VIOLATIONS:,}", to_stderr=True)
    if name.endswith(".request") and parsed.is_complete:
        said = {text for violation in found for text in (violation.pointer, violation.message)}
        for one in advice(parsed.document, name):
            if not {one.pointer, one.message} & said:
                _print(f"note: {where}{one.message}", to_stderr=True)
    return not found


def _text(name: str) -> str:
    try:
        return text(name)
    except UnknownSchema as error:
        raise Unusable(str(error)) from None


def _limit(keyword: str, limit: object) -> str:
    match limit:
        case _ if keyword == "required":
            return "required"
        case list():
            return ", ".join(map(str, limit))
        case str():
            return limit
        case _:
            return shown(limit)


def _export(directory: Path, wanted: dict[Path, bytes], *, force: bool) -> None:
    if odd := [path.name for path in wanted if path.is_symlink() or (path.exists() and not path.is_file())]:
        raise Unusable(f"{shown_path(directory)} holds what is no plain file, such as a link: {_few(odd)}")
    old = {path: path.read_bytes() for path in wanted if path.exists()}
    changed = [path for path, content in wanted.items() if old.get(path) != content]
    differing = [path.name for path in changed if path in old]
    if differing and not force:
        raise Unusable(
            f"{shown_path(directory)} holds other files of the same name, --force overwrites: {_few(differing)}"
        )
    directory.mkdir(parents=True, exist_ok=True)
    for path in changed:
        path.write_bytes(wanted[path])
        _print(f"wrote {shown_path(path)}")
    if len(changed) < len(wanted):
        _print(f"unchanged: {len(wanted) - len(changed)}")


def _few(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _read(file: Path) -> bytes:
    try:
        with nullcontext(sys.stdin.buffer) if str(file) == "-" else file.open("rb") as stream:
            body = stream.read(MAX_DOCUMENT_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unusable(f"cannot read {shown_path(file)}: {reason}{_near(file)}") from None
    if len(body) > MAX_DOCUMENT_BYTES:
        raise Unusable(f"cannot read {shown_path(file)}: it is larger than {MAX_DOCUMENT_BYTES // 10**6} MB")
    return body


def _near(file: Path) -> str:
    try:
        near = nearest(file.name, (other.name for other in file.parent.iterdir() if other.name != file.name))
    except (OSError, ValueError):
        return ""
    return f"; did you mean {shown_path(file.with_name(near))}?" if near else ""


def _print_columns(rows: Iterable[tuple[str, ...]]) -> None:
    """Rows with their columns aligned, the last one ragged."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        _print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print(text: str, *, end: str = "\n", to_stderr: bool = False) -> None:
    """Print what the stream cannot encode as escapes."""
    stream = sys.stderr if to_stderr else sys.stdout
    encoding = stream.encoding or "utf-8"
    click.echo((text + end).encode(encoding, "backslashreplace").decode(encoding), nl=False, err=to_stderr)
