from __future__ import annotations

from pathlib import Path

import pytest

from apps.core.vocabulary import Timeframe, TradingMode
from trading_system.runtime.options import UpOptions, parse_options
from trading_system.runtime.refusals import StartRefused
from trading_system.runtime.specifications import BASE_DIR


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRADING_MODE", "LIVE_TRADING_ENABLED", "TRADING_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_without_options_it_is_the_replay_on_paper() -> None:
    assert parse_options([]) == UpOptions(
        data_dir=BASE_DIR / "var", host="127.0.0.1", port=8000, venue="", symbol="BTC/USDT", timeframe=Timeframe.M1, mode=TradingMode.PAPER
    )


def test_all_options(tmp_path: Path) -> None:
    options = parse_options(
        [
            "--venue",
            "Binance",
            "--symbol",
            "eth/usdt",
            "--timeframe",
            "5m",
            "--mode",
            "paper",
            "--port",
            "9000",
            "--data-dir",
            str(tmp_path),
        ]
    )
    assert options == UpOptions(tmp_path, "127.0.0.1", 9000, "binance", "ETH/USDT", Timeframe.M5, TradingMode.PAPER)


def test_the_environment_names_the_data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRADING_DATA_DIR", str(tmp_path))
    assert parse_options([]).data_dir == tmp_path


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--timeframe", "7m"], "There is no timeframe '7m'. Choose one of: 1m, 5m, 15m, 1h, 4h, 1d."),
        (["--mode", "yolo"], "There is no mode 'yolo'. Choose one of: paper, live."),
        (["--port", "http"], "'http' is not a port. Give a number from 1 to 65535 with --port."),
        (["--port", "65536"], "'65536' is not a port. Give a number from 1 to 65535 with --port."),
        (["--colour", "red"], "Unrecognized arguments: --colour red. `manage.py up --help` lists the options."),
    ],
)
def test_nonsense_is_refused_with_a_sentence(arguments: list[str], sentence: str) -> None:
    with pytest.raises(StartRefused) as refusal:
        parse_options(arguments)
    assert str(refusal.value) == sentence


def test_live_needs_the_switch_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StartRefused, match="Live trading is switched off"):
        parse_options(["--mode", "live"])
    monkeypatch.setenv("LIVE_TRADING_ENABLED", "true")
    assert parse_options(["--mode", "live"]).mode is TradingMode.LIVE
