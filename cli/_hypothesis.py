"""Where Hypothesis keeps what it computes once: in the cache of the user, and nothing in the folder of the caller."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis.configuration import set_hypothesis_home_dir


def keep_in_cache() -> None:
    """Have it write there, unless somebody has said where."""
    if "HYPOTHESIS_STORAGE_DIRECTORY" not in os.environ:
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - it never raises
        set_hypothesis_home_dir(Path(cache, "safelight", "hypothesis"))
