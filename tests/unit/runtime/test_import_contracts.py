"""The contracts name modules one by one; these tests keep the lists complete as the apps grow. `make check` runs the contracts."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LIBRARIES = {"core", "common"}
PUBLIC = {"contracts", "services", "selectors", "ports", "domain", "models", "migrations", "apps"}

contracts = ConfigParser()
contracts.read(ROOT / ".importlinter")
APPS = sorted(path.parent.name for path in (ROOT / "apps").glob("*/__init__.py"))


def words(section: str, option: str) -> list[str]:
    return [word.strip("()") for word in contracts.get(f"importlinter:contract:{section}", option).split() if word != ":"]


def modules_of(app: str) -> set[str]:
    folder = ROOT / "apps" / app
    packages = {path.name for path in folder.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    return (packages | {path.stem for path in folder.glob("*.py")}) - {"__init__"}


def test_every_app_has_its_layer() -> None:
    assert sorted(words("apps", "layers")) == sorted(["trading_system", *(f"apps.{app}" for app in APPS)])


@pytest.mark.parametrize("app", sorted(set(APPS) - LIBRARIES))
def test_the_inside_of_every_app_is_protected(app: str) -> None:
    listed = {word.removeprefix(f"apps.{app}.") for word in words(f"private-{app}", "protected_modules")}
    assert listed == modules_of(app) - PUBLIC
    assert words(f"private-{app}", "allowed_importers") == [f"apps.{app}", "trading_system"]


@pytest.mark.parametrize("app", sorted(set(APPS) - LIBRARIES))
def test_models_are_protected(app: str) -> None:
    has_contract = contracts.has_section(f"importlinter:contract:models-{app}")
    assert has_contract == ("models" in modules_of(app))


@pytest.mark.parametrize("app", sorted(set(APPS) - LIBRARIES))
def test_every_module_of_an_app_has_a_layer_inside_it(app: str) -> None:
    assert modules_of(app) - {"migrations"} <= set(words("inside", "layers"))
    assert f"apps.{app}" in words("inside", "containers")
