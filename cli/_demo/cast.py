"""The demo's output as a picture for the README: an SVG that needs nothing from elsewhere.

Made again by `safelight demo --svg docs/pictures/demo.svg`.
"""

import re
from io import StringIO
from pathlib import Path
from typing import Final

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.color import parse_rgb_hex
from rich.console import Console
from rich.terminal_theme import TerminalTheme

#: Columns of the terminal in the picture.
_COLUMNS: Final = 92

_FONTS: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
#: A darkroom: background and text, then black, red, green, yellow, blue, magenta, cyan, white, plain and bright.
_COLOURS: Final = """
    140a07 f0e0d4
    28160f f05c42 7eba78 ff9a44 7896be c8788c 6eb4aa f0e0d4
    9c8072 ff785a 96d28c ffbe6e 96b4dc dc96aa 8cd2c8 fff5ee
"""


def recorder() -> Console:
    """A terminal that shows nothing and remembers all."""
    console = Console(record=True, width=_COLUMNS, file=StringIO(), color_system="truecolor", highlight=False)
    console.print("[red]$[/] [bold]safelight demo[/]")
    return console


def write_svg(console: Console, path: Path) -> None:
    """Save what a recorder remembers. The same text gives the same file."""
    local = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    local = re.sub(r"font-family: [^;]+;", f"font-family: {_FONTS};", local)
    rows: list[list[tuple[int, int, int]]] = [
        [parse_rgb_hex(code) for code in line.split()] for line in _COLOURS.strip().splitlines()
    ]
    (ground, text), plain, bright = rows
    theme = TerminalTheme(ground, text, plain, bright)
    console.save_svg(str(path), title="safelight demo", theme=theme, code_format=local, unique_id="safelight")
