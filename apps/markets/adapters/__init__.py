"""Sources of bars, one folder each: client (files or network), mapping (pure), source (the port).

The folder's name is the source's name, and `SOURCE` in its source.py is what opens it: a new folder is a new source. A source is loaded when
it is opened, so a process that never opens one never imports its libraries (ccxt, pyarrow).
"""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from typing import Any

from apps.core.discovery import folders_with
from apps.core.errors import InvalidInput, NotFound
from apps.markets.ports import BarSource


def source_names() -> list[str]:
    """Every source by the name that `Venue.source` and the command line use."""
    return folders_with(__name__, "source")


def open_source(name: str, options: dict[str, Any]) -> BarSource:
    """The source `name` with its options; raises NotFound for an unknown one, InvalidInput for options that do not fit."""
    if name not in source_names():
        raise NotFound(f"There is no data source {name!r}.", where="source", hint=f"Known sources: {', '.join(source_names())}.")
    factory = import_module(f"{__name__}.{name}.source").SOURCE
    try:
        signature(factory).bind(**options)
    except TypeError as error:
        raise InvalidInput(
            f"The data source {name} cannot be opened: {error}.",
            where="source_options",
            hint=f"Its options: {', '.join(signature(factory).parameters) or 'none'}.",
        ) from None
    source: BarSource = factory(**options)
    return source
