"""The proofs of the spine: one command, real parts, a first autonomous trade that explains itself."""

from __future__ import annotations

import time
from collections import defaultdict

import psutil

from tests.invariants import check_books, check_commands, resume, settle
from tests.prove.registry import Measured, proof
from tests.prove.workshop import Workshop
from tests.system import GONE, PROCESSES, RunningSystem, wait_until
from trading_system.runtime.warming import IDLE_SECONDS

MEGABYTE = 1024 * 1024
DECISIONS = "SELECT count(*) FROM strategies_decision"


@proof(cap="spine", name="first-page", line="Fresh clone, `make run`: first decision page", bound="<= 60 s after the command")
def first_decision_page(workshop: Workshop) -> Measured:
    assert workshop.system.is_running()
    times = workshop.start_times
    assert times is not None
    return Measured(f"page {times.page:.1f} s, decision page {times.decision_page:.1f} s", times.decision_page <= 60)


@proof(cap="spine", name="first-fill", line="Fresh clone, `make run`: first filled order", bound="<= 120 s after the command")
def first_filled_order(workshop: Workshop) -> Measured:
    assert workshop.system.is_running()
    times = workshop.start_times
    assert times is not None
    return Measured(f"{times.filled_order:.1f} s", times.filled_order <= 120)


@proof(cap="spine", name="idle-cpu", line="CPU of the whole system at one bar a second", bound="< 50 % of one core")
def idle_cpu(workshop: Workshop, *, seconds: float = 60.0) -> Measured:
    system = workshop.system
    wait_for_compilers(system)
    before, bars = _cpu_seconds(system), _bars(system)
    began = time.monotonic()
    time.sleep(seconds)
    elapsed = time.monotonic() - began
    after, played = _cpu_seconds(system), _bars(system) - bars
    used = {name: after[name] - before.get(name, 0.0) for name in after}
    share = sum(used.values()) / elapsed
    details = tuple(f"{name}: {100 * used[name] / elapsed:.1f} %" for name in sorted(used, key=lambda item: -used[item]))
    return Measured(f"{100 * share:.0f} % of one core at {played / elapsed:.2f} bars/s", share < 0.5 and played / elapsed > 0.8, details)


def wait_for_compilers(system: RunningSystem) -> None:
    """The engine is compiled once per installation, some time after the first start: that is not what the system takes when it is idle."""
    last_seen = time.monotonic()
    while time.monotonic() - last_seen < 2 * IDLE_SECONDS:
        if any(RunningSystem.name_of(process) == "compiler" for process in system.tree()):
            last_seen = time.monotonic()
        time.sleep(0.5)


@proof(cap="spine", name="memory", line="Resident memory of each process", bound="< 512 MB each")
def memory(workshop: Workshop) -> Measured:
    sizes = [(_resident(process), RunningSystem.name_of(process)) for process in workshop.system.tree()]
    largest, name = max(sizes)
    total = sum(size for size, _ in sizes)
    return Measured(
        f"largest {name} {largest / MEGABYTE:.0f} MB; {len(sizes)} processes",
        largest < 512 * MEGABYTE,
        (f"summed {total / MEGABYTE:.0f} MB",),
    )


@proof(cap="spine", name="kill-each", line="kill -9 of each process in turn while trading", bound="recovers; books exact")
def kill_each(workshop: Workshop) -> Measured:
    system = workshop.system
    seconds = []
    for name in (*PROCESSES, "redis", "postgres"):
        seconds.append(kill_and_recover(system, name))
    settle(system)
    findings = check_books(system) + check_commands(system)
    resume(system)
    wrong = [f"{item.name}: {item.value}" for item in findings if not item.holds]
    value = f"{len(seconds)} kills, slowest recovery {max(seconds):.1f} s, {len(wrong)} wrong"
    return Measured(value, not wrong, tuple(f"{item.name}: {item.value}" for item in findings))


@proof(cap="spine", name="flush-redis", line="FLUSHALL while trading", bound="nothing lost; books exact")
def flush_redis(workshop: Workshop) -> Measured:
    system = workshop.system
    done = system.manage(
        "shell", "-c", "import redis; from django.conf import settings; print(redis.Redis.from_url(settings.REDIS_URL).flushall())"
    )
    _wait_for_decisions(system)
    settle(system)
    findings = check_books(system) + check_commands(system)
    resume(system)
    wrong = [item for item in findings if not item.holds]
    flushed = done.stdout.strip().endswith("True")
    return Measured(f"flushed {flushed}, {len(wrong)} wrong", flushed and not wrong, tuple(f"{item.name}: {item.value}" for item in wrong))


@proof(cap="spine", name="second-run", line="Stop, then a second `make run`", bound="stops <= 10 s, goes on < 15 s, nothing doubled")
def second_run(workshop: Workshop) -> Measured:
    system = workshop.system
    stopped = system.stop()
    system.start()
    wait_until(lambda: (system.data_dir / "run" / "servers.env").exists() and system.try_value(DECISIONS), within=60, what="the database")
    before = system.value(DECISIONS)
    wait_until(lambda: (system.try_value(DECISIONS) or 0) > before, within=60, what="a new decision")
    went_on = system.seconds
    wait_until(lambda: system.status_of("/healthz") == 200, within=60, what="the web server")
    with_pages = system.seconds
    settle(system)
    wrong = [item for item in check_books(system) if not item.holds]
    resume(system)
    system.log_in_again()
    value = f"stopped in {stopped:.1f} s, new decision after {went_on:.1f} s, pages after {with_pages:.1f} s, {len(wrong)} wrong"
    return Measured(value, stopped <= 10 and max(went_on, with_pages) < 15 and not wrong)


def kill_and_recover(system: RunningSystem, name: str) -> float:
    """kill -9, then wait until it runs again under a new pid and bars are decided on; returns the seconds that took."""
    began = time.monotonic()
    killed = system.kill(name)
    wait_until(lambda: _runs_again(system, name, killed), within=60, what=f"{name} to come back")
    _wait_for_decisions(system)
    return time.monotonic() - began


def _runs_again(system: RunningSystem, name: str, killed: int) -> bool:
    try:
        return system.process(name).pid != killed
    except LookupError:
        return False


def _wait_for_decisions(system: RunningSystem) -> None:
    before = wait_until(lambda: system.try_value(DECISIONS), within=60, what="PostgreSQL to answer")
    wait_until(lambda: (system.try_value(DECISIONS) or 0) > before + 7, within=90, what="decisions to go on")


def _bars(system: RunningSystem) -> int:
    return int(system.value("SELECT max(bars_done) FROM markets_venueclock WHERE status <> 'ARCHIVED'"))


def _cpu_seconds(system: RunningSystem) -> dict[str, float]:
    used: dict[str, float] = defaultdict(float)
    for process in system.tree():
        try:
            times = process.cpu_times()
            used[RunningSystem.name_of(process) or process.name()] += times.user + times.system
        except GONE:
            continue
    return dict(used)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except GONE:
        return 0
