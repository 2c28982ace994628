""".env.example, docker-compose.yml, the Dockerfile and the lists of processes agree with the settings and with each other."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from trading_system.runtime.specifications import application_processes

ROOT = Path(__file__).resolve().parents[3]
NOT_FROM_DOTENV = {"DJANGO_SETTINGS_MODULE"}
READS = re.compile(r"""(?:env\.\w+|environ\.get|decimal_setting)\(\s*["']([A-Z][A-Z0-9_]*)["']""")
SECRETS = {"SECRET_KEY", "DB_PASS", "REDIS_PASSWORD", "POSTGRES_PASSWORD", "REDISCLI_AUTH"}

compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = compose["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "trading-system"}
LONG_RUNNING = sorted(set(OURS) - {"prepare"})


def settings_variables() -> set[str]:
    return {name for path in (ROOT / "trading_system" / "settings").glob("*.py") for name in READS.findall(path.read_text())}


def example_variables() -> dict[str, str]:
    return dict(re.findall(r"^# ([A-Z][A-Z0-9_]*)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_the_example_explains_every_variable_of_the_settings() -> None:
    assert set(example_variables()) == settings_variables()


def test_the_example_sets_nothing_and_names_no_secret() -> None:
    text = (ROOT / ".env.example").read_text()
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == []
    assert all(example_variables()[name] == "" for name in SECRETS & set(example_variables()))


def test_every_variable_has_an_explanation_above_it() -> None:
    blocks = (ROOT / ".env.example").read_text().split("\n\n")
    for block in blocks:
        names = re.findall(r"^# [A-Z][A-Z0-9_]*=", block, re.MULTILINE)
        assert len(block.splitlines()) > len(names), f"nothing explains {names}"


def test_compose_runs_the_processes_of_the_supervisor() -> None:
    supervised = [specification.name for specification in application_processes(host="127.0.0.1", port=1, settings={})]
    assert sorted(supervised) == LONG_RUNNING
    assert {"postgres", "redis"} == set(SERVICES) - set(OURS)


@pytest.mark.parametrize("name", sorted(OURS))
def test_compose_sets_only_what_the_settings_read(name: str) -> None:
    variables = set(OURS[name]["environment"])
    assert variables <= settings_variables() | NOT_FROM_DOTENV
    assert OURS[name]["environment"]["TRADING_PROCESS"] == name
    assert OURS[name]["environment"]["DJANGO_SETTINGS_MODULE"] == "trading_system.settings.production"


@pytest.mark.parametrize("name", sorted(OURS))
def test_compose_starts_what_exists(name: str) -> None:
    command = OURS[name]["command"]
    assert isinstance(command, list)
    match command:
        case ["python", "manage.py", management_command]:
            assert management_command in get_commands()
        case ["celery", "-A", package, ("worker" | "beat"), *_]:
            assert import_module(package).celery_app
        case ["uvicorn", target, *_]:
            module, _, attribute = target.partition(":")
            assert re.search(rf"^{attribute} = ", (ROOT / f"{module.replace('.', '/')}.py").read_text(), re.MULTILINE)
        case _:
            pytest.fail(f"unknown kind of command: {command}")


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"prepare"}))
def test_every_long_running_service_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL") and {"interval", "timeout", "retries"} <= set(check)
    if "trading_system.runtime.heartbeat_check" in check["test"]:
        assert check["test"][-1] == name


@pytest.mark.parametrize("name", sorted(OURS))
def test_services_wait_for_what_they_need(name: str) -> None:
    conditions = {other: value["condition"] for other, value in OURS[name]["depends_on"].items()}
    servers = {"postgres": "service_healthy", "redis": "service_healthy"}
    assert conditions == (servers if name == "prepare" else servers | {"prepare": "service_completed_successfully"})


def test_compose_holds_no_secret() -> None:
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if variable in SECRETS:
                assert re.fullmatch(r"\$\{[A-Z_]+:\?set [A-Z_]+ in \.env\}", value), f"{variable}={value}"


def test_queues_of_the_containers_are_those_of_the_supervisor() -> None:
    supervised = {item.name: item.command for item in application_processes(host="127.0.0.1", port=1, settings={})}
    for name in ("worker", "trainer"):
        assert _queues(OURS[name]["command"]) == _queues(supervised[name])


def _queues(command: list[str]) -> str:
    return command[command.index("-Q") + 1]


def test_the_image_is_built_from_locked_packages_and_runs_as_nobody_special() -> None:
    text = (ROOT / "trading_system" / "deploy" / "Dockerfile").read_text()
    stages = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(stages) == 2 and len(set(stages)) == 1
    assert text.count("--require-hashes") == 2
    users = re.findall(r"^USER (\S+)", text, re.MULTILINE)
    assert users == ["trading"]
    for copied in re.findall(r"^COPY ([\w./]+) ", text, re.MULTILINE):
        assert (ROOT / copied).exists(), copied
    variables = set(re.findall(r"\b([A-Z][A-Z0-9_]+)=", text)) - {"PATH", "PYTHONUNBUFFERED", "VIRTUAL_ENV"}
    threads = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_ARENA_MAX"}
    assert variables - threads <= settings_variables() | NOT_FROM_DOTENV
