"""Sources of bars, one folder each: client (files or network), mapping (pure), source (the port).

A source is loaded when it is opened, so a process that never opens one never imports its libraries (ccxt, pyarrow).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from apps.core.errors import NotFound
from apps.markets.ports import BarSource

SOURCES = {
    "bundled": "apps.markets.adapters.bundled.source.BundledSource",
    "ccxt": "apps.markets.adapters.ccxt_rest.source.CcxtSource",
    "files": "apps.markets.adapters.files.source.FileSource",
    "lean": "apps.markets.adapters.lean.source.LeanSource",
}
"""Every source by the name that `Venue.source` and the command line use. A new adapter is one folder and one line here."""


def open_source(name: str, options: dict[str, Any]) -> BarSource:
    """The source `name` with its options; raises NotFound for an unknown one, InvalidInput for options that do not fit."""
    path = SOURCES.get(name)
    if path is None:
        raise NotFound(f"There is no data source {name!r}.", where="source", hint=f"Known sources: {', '.join(sorted(SOURCES))}.")
    module_name, _, class_name = path.rpartition(".")
    source: BarSource = getattr(import_module(module_name), class_name)(**options)
    return source
