"""Runs a check against the code with one line changed, in a forked child: a check that still passes would not have caught the mistake."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from django.db import connections

_PASSED, _FAILED, _NOT_PLANTED = 0, 1, 2


@dataclass(frozen=True)
class Mutant:
    """One mistake: `line` of `module` written as `mistake` instead."""

    name: str
    module: str
    line: str
    mistake: str
    check: Callable[[], None]
    registry: str = ""
    """`module:name` of a dict in which the module declares itself; declaring twice is an error, so it is set aside while planting."""


def passes(check: Callable[[], None], mutant: Mutant | None = None) -> bool:
    """Whether the check passes in a child process, with the mistake in place if one is given; a mistake that cannot be planted raises."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        os._exit(_outcome(check, mutant))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (_PASSED, _FAILED), f"{mutant}: exit status {code}"
    return code == _PASSED


def _outcome(check: Callable[[], None], mutant: Mutant | None) -> int:
    try:
        if mutant is not None:
            _plant(mutant)
    except BaseException:
        traceback.print_exc()
        return _NOT_PLANTED
    try:
        check()
    except BaseException as error:
        print(f"{mutant.name if mutant else 'no mutant'}: {type(error).__name__}: {error}", flush=True)
        return _FAILED
    return _PASSED


def _plant(mutant: Mutant) -> None:
    """Give every function of the module the code that it would have with the mistake, wherever it was imported to."""
    module = importlib.import_module(mutant.module)
    source = Path(str(module.__file__)).read_text()
    if source.count(mutant.line) != 1:
        raise SystemExit(f"{mutant.module} has {mutant.line!r} {source.count(mutant.line)} times")
    changed = sys.modules["mutant"] = ModuleType("mutant")
    with _set_aside(mutant.registry):
        exec(compile(source.replace(mutant.line, mutant.mistake), str(module.__file__), "exec"), vars(changed))
    for name, old in vars(module).items():
        _take_over(old, vars(changed).get(name), mutant.module)


@contextmanager
def _set_aside(registry: str) -> Iterator[None]:
    if not registry:
        yield
        return
    module, _, name = registry.partition(":")
    declared: dict[str, Any] = getattr(importlib.import_module(module), name)
    kept = dict(declared)
    declared.clear()
    yield
    declared.clear()
    declared.update(kept)


def _take_over(old: Any, new: Any, module: str) -> None:
    if isinstance(old, dict) and isinstance(new, dict) and new is not old and "__name__" not in old:
        new = dict(new)
        old.clear()
        old.update(new)
    elif inspect.isclass(old) and old.__module__ == module:
        for name, method in vars(old).items():
            if isinstance(method, FunctionType) and name in vars(new):
                method.__code__ = vars(new)[name].__code__
    elif callable(old) and getattr(old, "__module__", "") == module and isinstance(inspect.unwrap(old), FunctionType):
        inspect.unwrap(old).__code__ = inspect.unwrap(new).__code__  # type: ignore[attr-defined]
