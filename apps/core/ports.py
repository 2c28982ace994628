"""Ports: what a lower app needs from a higher one is a protocol that the lower declares and the higher implements.

Implementations are named in settings by dotted path and registered here when Django starts, so that no lower app imports a higher one.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, TypeVar, cast

from apps.core.errors import Misconfigured

P = TypeVar("P")

_paths: dict[str, str] = {}
_instances: dict[str, Any] = {}


def configure_ports(paths: dict[str, str]) -> None:
    """Set dotted paths by port name (the protocol's class name)."""
    _paths.clear()
    _paths.update(paths)
    _instances.clear()


def port(protocol: type[P]) -> P:
    """The configured implementation of `protocol`, created once per process without arguments."""
    name = protocol.__name__
    if name not in _instances:
        if name not in _paths:
            raise Misconfigured(f"No implementation is configured for the port {name}.", hint="Add it to TRADING_PORTS in the settings.")
        module_name, _, attribute = _paths[name].rpartition(".")
        _instances[name] = getattr(import_module(module_name), attribute)()
    return cast("P", _instances[name])
