"""Starts that cannot work are refused in a plain sentence; a missing network leaves the rest running."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.prove.registry import Measured, proof
from tests.prove.workshop import Workshop
from tests.system import RunningSystem, clean_environment, free_port, wait_until


def refused(system: RunningSystem, *arguments: str) -> tuple[bool, str]:
    """Whether `up` with these arguments ended at once with one sentence, and what it said."""
    done = subprocess.run(
        [str(system.python), "manage.py", "up", *arguments],
        cwd=system.checkout,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = " ".join((done.stdout + done.stderr).split())
    return done.returncode == 2 and "Traceback" not in said and len(said) > 20, said


@proof(
    cap="spine",
    name="refusals",
    line="Port taken, second instance, other PostgreSQL major, unwritable or full disk, live mode",
    bound="each a plain sentence, no traceback",
)
def refusals(workshop: Workshop) -> Measured:
    system = workshop.system
    results: dict[str, tuple[bool, str]] = {}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        results["port taken"] = refused(system, "--port", port, "--data-dir", str(workshop.folder("port")))
    results["second instance"] = refused(system, "--port", str(free_port()), "--data-dir", str(system.data_dir))
    results["other PostgreSQL"] = refused(system, "--port", str(free_port()), "--data-dir", str(_old_postgres(workshop)))
    blocked = workshop.folder("blocked") / "a file"
    blocked.write_text("not a folder")
    results["data dir is a file"] = refused(system, "--port", str(free_port()), "--data-dir", str(blocked))
    with small_disk(workshop.folder("small")) as disk:
        if disk is not None:
            results["disk full"] = refused(system, "--port", str(free_port()), "--data-dir", str(disk))
    results["live mode"] = refused(system, "--port", str(free_port()), "--data-dir", str(workshop.folder("live")), "--mode", "live")
    plain = sum(is_plain for is_plain, _ in results.values())
    details = tuple(f"{name}: {said[:170]}" for name, (_, said) in results.items())
    return Measured(f"{plain} of {len(results)} plain sentences", plain == len(results), details)


def _old_postgres(workshop: Workshop) -> Path:
    """A data directory whose cluster says it was made by PostgreSQL 15."""
    folder = workshop.folder("old")
    cluster = folder / "servers" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("15\n")
    return folder


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A disk of one megabyte mounted on `folder`; None where we may not mount."""
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True).returncode == 0
    )
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@proof(
    cap="spine",
    name="no-network",
    line="`--venue binance` without a network",
    bound="clear message on console and page, retries, rest runs",
)
def no_network(workshop: Workshop) -> Measured:
    clone = workshop.system
    with RunningSystem(workshop.folder("binance") / "var", checkout=clone.checkout, python=clone.python) as system:
        system.start("--venue", "binance", "--symbol", "BTC/USDT", "--timeframe", "1m", "--mode", "paper")
        wait_until(lambda: system.status_of("/healthz") == 200, within=120, what="the web server")
        system.log_in()
        failed = "SELECT count(*) FROM event_log WHERE event_type = 'market.feed_failed'"
        wait_until(lambda: (system.try_value(failed) or 0) >= 1, within=90, what="the feed to fail")
        message = wait_until(
            lambda: system.value("SELECT message FROM markets_venueclock WHERE message <> ''"), within=30, what="a message"
        )
        page = system.get("/")
        on_page = message[:40] in page
        on_console = any("binance" in line.lower() for line in system.output[1:] if "http://" not in line)
        restarts = system.manage("status").returncode
    return Measured(
        f"on page {on_page}, on console {on_console}, status exit {restarts}", on_page and on_console and restarts == 0, (message[:200],)
    )
