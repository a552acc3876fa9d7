"""Folders of modules, each of which registers what it has."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def import_all(package: str, folders: Iterable[str]) -> None:
    """Import every module of a package.

    Raises `OSError` where its folders cannot be read, as while connections have all file descriptors: `iter_modules`
    then finds nothing and says nothing, and whoever keeps what was found would have nothing from then on.
    """
    modules = list(iter_modules(folders))
    if not modules:
        raise OSError(f"the folder of {package} cannot be read")
    for module in modules:
        import_module(f"{package}.{module.name}")
