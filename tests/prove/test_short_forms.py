"""Short forms of the proofs: the whole system, started as a user starts it, hurt in ways drawn from a fresh, printed seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.invariants import check_books, check_commands, resume, settle
from tests.prove.spine import DECISIONS, flush_redis, kill_and_recover, memory
from tests.prove.spine_log import tampering_is_named
from tests.prove.spine_pages import crawl
from tests.prove.spine_refusals import refusals
from tests.system import PROCESSES, RunningSystem, wait_until

KILLS = 4
PAGES = 12


class SmallWorkshop:
    """What the proofs ask of a workshop, on this checkout and in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.system = RunningSystem(folder / "data of a test" / "var")

    def folder(self, name: str) -> Path:
        path = self._folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWorkshop]:
    shop = SmallWorkshop(tmp_path_factory.mktemp("whole"))
    with shop.system as system:
        system.start()
        system.log_in(within=180)
        wait_until(lambda: system.try_value("SELECT count(*) FROM orders_fill"), within=180, what="a filled order")
        yield shop


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_processes_come_back_and_the_books_stay_exact(workshop: SmallWorkshop) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    victims = random.Random(seed).sample((*PROCESSES, "redis", "postgres"), KILLS)
    for name in victims:
        kill_and_recover(workshop.system, name)
    settle(workshop.system)
    findings = check_books(workshop.system) + check_commands(workshop.system)
    resume(workshop.system)
    assert [item for item in findings if not item.holds] == [], f"seed {seed}, killed {victims}"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_flushed_redis_loses_nothing(workshop: SmallWorkshop) -> None:
    measured = flush_redis(workshop)
    assert measured.passed, measured


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_tampering_with_the_log_is_named(workshop: SmallWorkshop) -> None:
    measured = tampering_is_named(workshop)
    assert measured.passed, measured


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_why_pages_show_the_stored_rows(workshop: SmallWorkshop) -> None:
    settle(workshop.system)
    orders, decisions, wrong = crawl(workshop.system, limit=PAGES)
    resume(workshop.system)
    assert (wrong, orders > 0, decisions) == ([], True, PAGES)


@pytest.mark.slow
def test_no_process_is_large(workshop: SmallWorkshop) -> None:
    measured = memory(workshop)
    assert measured.passed, measured


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_start_that_cannot_work_is_refused_in_a_sentence(workshop: SmallWorkshop) -> None:
    measured = refusals(workshop)
    assert measured.passed, measured


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_second_start_goes_on_where_the_first_stopped(workshop: SmallWorkshop) -> None:
    system = workshop.system
    system.stop()
    system.start()
    before = wait_until(
        lambda: (system.data_dir / "run" / "servers.env").exists() and system.try_value(DECISIONS), within=90, what="the database"
    )
    wait_until(lambda: (system.try_value(DECISIONS) or 0) > before, within=90, what="a new decision")
    settle(system)
    assert [item for item in check_books(system) if not item.holds] == []
