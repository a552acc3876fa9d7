"""The keys of the commands that send: from the environment or a file, as a command line is no place for one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from safelight.cli._unusable import Unusable

#: The variables that hold the keys.
KEY, OTHER_KEY = "SAFELIGHT_API_KEY", "SAFELIGHT_OTHER_API_KEY"

#: Bytes of a file that holds a key.
_MAX_KEY_BYTES: Final = 20_000


def key_of(file: Path | None, variable: str) -> str:
    """A key from a file, or from the environment; `Unusable` where there is none that can be sent."""
    try:
        text = file.read_bytes()[:_MAX_KEY_BYTES].decode("ascii") if file else os.environ.get(variable, "")
    except OSError as error:
        raise Unusable(f"the file of the key cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Unusable("the file of the key holds no key: a key is in ASCII") from None
    key = text.strip()
    if not key and variable == KEY:
        raise Unusable(f"there is no key: set {KEY}, or name a file with --key-file; a command line is no place for it")
    if not (key.isascii() and key.isprintable()) or " " in key:
        where = "the file of the key" if file else variable
        raise Unusable(f"{where} holds no key: a key is one word in ASCII")
    return key
