from __future__ import annotations

from pathlib import Path

from trading_system.runtime.logs import RotatingLog


def test_a_full_log_is_rotated_and_the_oldest_is_dropped(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "web.log", maximum_bytes=10, kept=2)
    for number in range(5):
        log.write(f"line {number}\n".encode())
    log.close()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "web.log": "line 4\n",
        "web.log.1": "line 3\n",
        "web.log.2": "line 2\n",
    }


def test_a_restart_appends(tmp_path: Path) -> None:
    for text in (b"first\n", b"second\n"):
        log = RotatingLog(tmp_path / "web.log")
        log.write(text)
        log.close()
    assert (tmp_path / "web.log").read_text() == "first\nsecond\n"


def test_the_last_line_is_remembered(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "web.log")
    log.write(b"one\ntwo\n\n")
    assert log.last_line == "two"


def test_a_log_that_cannot_be_written_loses_lines_only(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "missing" / "web.log")
    log.write(b"lost\n")
    assert log.last_line == "lost"
    assert not (tmp_path / "missing").exists()
