"""The pages of the console: a module per area, each with its `pages`. Every module here is taken in by itself."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Final

from serving.console.routing import Pages


def _areas() -> tuple[Pages, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(module.pages for module in modules if isinstance(getattr(module, "pages", None), Pages))


AREAS: Final = _areas()
