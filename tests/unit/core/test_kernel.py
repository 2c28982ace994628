"""Kernels: the same source compiled and plain gives the same, and the compile cache follows every source."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.core import kernel as loader

NOW = 1_800_000_000.0
ROOT = Path(loader.__file__).resolve().parents[2]
PROGRAM = """
import sys
import numpy as np
from apps.core.kernel import is_compiling, kernel

@kernel
def weigh(prices, lots, out):
    total = 0
    for index in range(prices.shape[0]):
        product = prices[index] * lots[index]
        out[index] = product // 7
        total += product % 7
    return total

generator = np.random.default_rng(20081)
prices = generator.integers(-10**9, 10**9, 500)
lots = generator.integers(-10**6, 10**6, 500)
out = np.zeros(500, dtype=np.int64)
total = weigh(prices, lots, out)
print(is_compiling(), hasattr(weigh, "py_func"), "numba" in sys.modules, int(total), int(np.bitwise_xor.reduce(out)))
"""


LATER = """
from apps.core.kernel import kernel, load_kernels

@kernel("i8(i8, i8)")
def add(one, other):
    return one + other

@kernel("i8(i8)")
def twice(one):
    return add(one, 1) + add(one, -1)

before = len(twice.signatures)
told = []
compiled = load_kernels(most=1) + load_kernels(lambda ready, total: told.append((ready, total)))
print(before, len(twice.signatures), compiled, told, load_kernels(), twice(21.9))
"""


def run(folder: Path, *, compiled: bool) -> list[str]:
    source = folder / "program.py"
    source.write_text(PROGRAM)
    environment = {name: value for name, value in os.environ.items() if name not in ("TRADING_COMPILE_KERNELS", "NUMBA_CACHE_DIR")}
    environment |= {"PYTHONPATH": str(ROOT), "TRADING_DATA_DIR": str(folder)}
    if compiled:
        environment["TRADING_COMPILE_KERNELS"] = "1"
    done = subprocess.run([sys.executable, str(source)], env=environment, capture_output=True, text=True, check=True, cwd=folder)
    return done.stdout.split()


def test_compiled_and_plain_give_the_same_numbers_and_plain_loads_no_numba(tmp_path: Path) -> None:
    plain, compiled = run(tmp_path, compiled=False), run(tmp_path, compiled=True)
    assert plain[:3] == ["False", "False", "False"]
    assert compiled[:3] == ["True", "True", "True"]
    assert plain[3:] == compiled[3:]
    assert list((tmp_path / "cache").glob("kernels-*/**/*.nbi"))


def test_without_being_asked_a_kernel_is_the_function_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRADING_COMPILE_KERNELS", raising=False)

    def plain(value: int) -> int:
        return value

    assert loader.kernel(plain) is plain


def test_the_cache_folder_follows_a_module_and_all_that_it_imports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(loader, "_ROOT", tmp_path)
    folder = tmp_path / "apps" / "a"
    folder.mkdir(parents=True)
    (folder / "codes.py").write_text("LIMIT = 1")
    (folder / "inner_nb.py").write_text("from apps.a.codes import LIMIT")
    (folder / "outer_nb.py").write_text("from apps.a.inner_nb import f")
    (folder / "other_nb.py").write_text("x = 1")
    outer, other = loader.kernel_fingerprint("apps.a.outer_nb"), loader.kernel_fingerprint("apps.a.other_nb")
    (folder / "plain.py").write_text("x = 1")
    assert loader.kernel_fingerprint("apps.a.outer_nb") == outer
    (folder / "codes.py").write_text("LIMIT = 2")
    changed = loader.kernel_fingerprint("apps.a.outer_nb")
    (folder / "inner_nb.py").write_text("from apps.a.codes import LIMIT  # changed")
    assert len({outer, changed, loader.kernel_fingerprint("apps.a.outer_nb")}) == 3
    assert loader.kernel_fingerprint("apps.a.other_nb") == other


def test_kernels_for_later_are_compiled_when_they_are_loaded_and_read_from_the_cache_the_next_time(tmp_path: Path) -> None:
    source = tmp_path / "later.py"
    source.write_text(LATER)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TRADING_DATA_DIR": str(tmp_path), "TRADING_COMPILE_KERNELS": "later"}
    said = [
        subprocess.run([sys.executable, str(source)], env=environment, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
        for _ in range(2)
    ]
    assert said == ["0 1 2 [(1, 1)] 0 42\n", "0 1 0 [] 0 42\n"]


def test_caches_that_no_module_uses_any_more_are_removed_after_a_day(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRADING_DATA_DIR", str(tmp_path))
    loader.cache_directory.cache_clear()
    module = loader.kernel_modules()[0]
    for name in (loader.cache_directory(module).name, "kernels-old", "kernels-new", "other"):
        folder = tmp_path / "cache" / name
        folder.mkdir(parents=True)
        os.utime(folder, (NOW, NOW if name == "kernels-new" else NOW - 10))
    assert loader.remove_unused_caches([module], older_than=NOW - 5) == ["kernels-old"]
    assert not (tmp_path / "cache" / "kernels-old").exists()
    loader.cache_directory.cache_clear()
