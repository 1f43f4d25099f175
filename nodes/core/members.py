"""Finds the modules of a folder, so that one that is added there has to be named nowhere else.

The one place that imports by name: a folder's ``__init__`` asks it for the modules beside itself.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


@cache
def names(package: str) -> tuple[str, ...]:
    """Return the names of the modules in a package that is loaded, in the alphabet's order."""
    return tuple(sorted(found.name for found in iter_modules(sys.modules[package].__path__)))


@cache
def member(package: str, name: str, attribute: str) -> Any:
    """Import a module of a package and return what it offers under ``attribute``.

    Raises:
        ModuleNotFoundError: there is no such module.
    """
    return getattr(import_module(f"{package}.{name}"), attribute)


@cache
def members(package: str, attribute: str) -> tuple[Any, ...]:
    """Return what all modules of a package offer under ``attribute``."""
    return tuple(member(package, name, attribute) for name in names(package))
