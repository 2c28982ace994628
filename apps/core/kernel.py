"""The only loader of numba. Kernels (`*_nb.py`) are plain Python with scalars and arrays; compute processes compile them.

`TRADING_COMPILE_KERNELS=1` in a process's environment turns compilation on. With `later` instead of `1` the process starts without waiting for it:
what is declared is compiled, or read from the cache, when `load_kernels` is called, before the first kernel is used. Everywhere else (web, tests
that do not ask) the same source runs uncompiled: same results, proven by `tests/unit/core/test_kernel.py`. The on-disk compile cache of a module lies in a folder
named after a hash of its source and of every module of ours that it imports, of library versions and of the CPU: numba does not notice a changed
callee or constant in another file.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import platform
import re
import shutil
import time
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = {"cache": True, "boundscheck": True, "fastmath": False, "nogil": True, "_nrt": False}
"""Without numba's runtime no array is reference-counted, which makes calls that pass arrays five to twenty times faster; a kernel that
allocates does not compile. `_nrt` is not documented, so numba is pinned and `tests/unit/core/test_kernel.py` checks that it works."""

LATER = "later"
UNUSED_SECONDS = 24 * 3600
"""A cache that no module uses any more is removed when it is this old: another process may just be writing it."""

_ROOT = Path(__file__).resolve().parents[2]
_declared: list[tuple[Any, str]] = []
"""Kernels whose types are known and that wait for `load_kernels`."""


def is_compiling() -> bool:
    """Whether kernels of this process are compiled."""
    return os.environ.get("TRADING_COMPILE_KERNELS") in ("1", LATER)


def load_kernels(on_compiled: Callable[[int, int], None] | None = None, *, most: int | None = None) -> int:
    """Compile what was declared since the last call, or read it from the cache; how many had to be compiled.

    `on_compiled` is called after each one that was in no cache, with how many are ready and how many there are. With `most` it ends
    when that many were compiled, for a process that wants to stay small. Two processes that do this at once both compile; none of them harms the
    other.
    """
    compiled, total = 0, len(_declared)
    while _declared and compiled != most:
        dispatcher, signature = _declared.pop(0)
        dispatcher.compile(signature)
        dispatcher.disable_compile()
        if dispatcher.stats.cache_misses:
            compiled += 1
            if on_compiled is not None:
                on_compiled(total - len(_declared), total)
    if compiled:
        remove_unused_caches(kernel_modules(), older_than=time.time() - UNUSED_SECONDS)
    return compiled


def kernel_modules() -> list[str]:
    """Every module of the apps that has kernels."""
    return [".".join(path.relative_to(_ROOT).with_suffix("").parts) for path in sorted((_ROOT / "apps").rglob("*_nb.py"))]


def remove_unused_caches(modules: Iterable[str], *, older_than: float) -> list[str]:
    """Remove the caches that none of these modules uses in its present version and that were written before; returns their names."""
    used = {cache_directory(module) for module in modules}
    unused = [folder for folder in _cache_root().glob("kernels-*") if folder not in used and folder.stat().st_mtime < older_than]
    for folder in unused:
        shutil.rmtree(folder, ignore_errors=True)
    return sorted(folder.name for folder in unused)


def kernel_fingerprint(module: str) -> str:
    """Changes whenever the module, anything of ours that it imports however indirectly, a relevant library version or the CPU changes."""
    digest = hashlib.blake2b(digest_size=12)
    for name, source in sorted(_sources(module).items()):
        digest.update(name.encode())
        digest.update(source)
    for package in ("numba", "llvmlite", "numpy"):
        digest.update(f"{package}={version(package)}".encode())
    digest.update(f"{platform.python_version()}|{platform.machine()}|{platform.processor()}".encode())
    return digest.hexdigest()


def _sources(module: str) -> dict[str, bytes]:
    """The sources that the compiled code of a module depends on: its own, and those of the modules of ours that it imports."""
    found: dict[str, bytes] = {}
    wanted = [module]
    while wanted:
        name = wanted.pop()
        path = _ROOT.joinpath(*name.split(".")).with_suffix(".py")
        if name not in found and path.is_file():
            found[name] = path.read_bytes()
            wanted += re.findall(r"^from (apps\.[\w.]+) import", found[name].decode(), flags=re.MULTILINE)
    return found


@cache
def cache_directory(module: str) -> Path:
    """Where this version of a module's kernels is cached."""
    return _cache_root() / f"kernels-{kernel_fingerprint(module)}"


def _cache_root() -> Path:
    return Path(os.environ.get("TRADING_DATA_DIR") or _ROOT / "var") / "cache"


@overload
def kernel(signature: str, *, is_inlined: bool = False, is_checked: bool = True) -> Callable[[F], F]: ...
@overload
def kernel(signature: F) -> F: ...
def kernel(signature: Any, *, is_inlined: bool = False, is_checked: bool = True) -> Any:
    """Compile the function in compute processes, return it unchanged elsewhere.

    `@kernel` compiles at the first call for its argument types; `@kernel("i8(i8, i8[:, ::1])")` for the given types when the module is loaded (or
    `load_kernels` is called), so that nothing compiles later in a running process. Types: `i8` int64, `f8` float64, `b1` bool, `i8[::1]` and `f8[:, ::1]` arrays.
    An unchecked one does not look at its indices, which lets a plain loop use the processor's wide registers: its caller has looked at them.
    An inlined kernel becomes part of its compiled callers: a call that passes five arrays costs 15 ns, which is as much as most of them do.
    """
    if isinstance(signature, str):
        return lambda function: _compiled(function, signature, is_inlined=is_inlined, is_checked=is_checked)
    return _compiled(signature, None)


def _compiled(function: F, signature: str | None, *, is_inlined: bool = False, is_checked: bool = True) -> F:
    if not is_compiling():
        return function
    numba = importlib.import_module("numba")
    directory = cache_directory(function.__module__)
    directory.mkdir(parents=True, exist_ok=True)
    numba.config.CACHE_DIR = str(directory)
    is_later = signature is not None and os.environ["TRADING_COMPILE_KERNELS"] == LATER
    options = {**OPTIONS, "forceinline": is_inlined, "boundscheck": is_checked}
    decorate = numba.njit(**options) if signature is None or is_later else numba.njit(signature, **options)
    compiled: F = decorate(function)
    if is_later:
        _declared.append((compiled, str(signature)))
    return compiled


def _no_prefetch(array: Any, index: int) -> None:
    """Nothing, on purpose: a hint to the processor's cache has no meaning where nothing is compiled."""


def _compiled_prefetch() -> Any:
    """An LLVM intrinsic that numba does not offer."""
    extending = importlib.import_module("numba.extending")
    types = importlib.import_module("numba.core.types")
    ir = importlib.import_module("llvmlite.ir")

    def define(typing_context: Any, array: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            byte = ir.IntType(8).as_pointer()
            address = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
            number = ir.IntType(32)
            function = builder.module.declare_intrinsic(
                "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, number, number, number])
            )
            builder.call(function, [address, number(0), number(3), number(1)])
            return context.get_dummy_value()

        return types.void(array, index), generate

    return extending.intrinsic(define)


prefetch: Callable[[Any, int], None] = _compiled_prefetch() if is_compiling() else _no_prefetch
"""Ask for an element of a one-dimensional array before it is needed; a wrong index does no harm."""


def _unsigned(index: int) -> int:
    """The index itself: only compiled code distinguishes."""
    return index


unsigned: Callable[[int], int] = importlib.import_module("numpy").uint64 if is_compiling() else _unsigned
"""An index that is known not to be negative. Compiled code otherwise looks at each one whether it counts from the end, which keeps a plain loop
from using the processor's wide registers and makes it five times slower."""
