"""`safelight report`: show reports again, and put several runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from safelight.cli._report import report_options, write_reports
from safelight.cli._unusable import Unusable
from safelight.conformance.report.document import NoReport, read


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@report_options
def command(files: tuple[Path, ...], **wanted: Any) -> None:
    """Show the reports in FILE..., and write them in other forms.

    FILE is what `--json FILE` of a `safelight check` wrote. Several runs stand side by side in the HTML file.
    """
    try:
        documents = [document for file in files for document in read(file)]
    except NoReport as error:
        raise Unusable(str(error)) from None
    kinds = sorted({document["kind"] for document in documents})
    if len(kinds) > 1:
        raise Unusable(f"these are reports of a {' and of a '.join(kinds)}: only those of a kind stand side by side")
    write_reports(documents, **wanted)
