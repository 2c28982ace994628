"""Result files of freqtrade's backtests are read for comparison, and refused clearly where they are something else."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from apps.backtests.adapters.freqtrade_results import read_freqtrade_result
from apps.core.errors import InvalidInput
from apps.portfolio.domain.records import ExitReason

DAY_MS = 86_400_000
START_MS = 1_577_836_800_000


def a_trade(day: int, **changes: Any) -> dict[str, Any]:
    """Two units bought at 100 and sold at 110 a day later, 0.1 % of fees on each side."""
    return {
        "pair": "BTC/USDT",
        "amount": 2.0,
        "open_rate": 100.0,
        "close_rate": 110.0,
        "open_timestamp": START_MS + day * DAY_MS,
        "close_timestamp": START_MS + (day + 1) * DAY_MS,
        "profit_abs": 19.58,
        "exit_reason": "roi",
        "is_open": False,
        "is_short": False,
    } | changes


def a_result(*trades: dict[str, Any], **changes: Any) -> dict[str, Any]:
    content = {
        "trades": list(trades),
        "stake_currency": "USDT",
        "timeframe": "1d",
        "starting_balance": 1000.0,
        "backtest_start_ts": START_MS,
        "backtest_end_ts": START_MS + 30 * DAY_MS,
        "profit_total": 0.01958,
        "trading_mode": "spot",
    }
    return {"strategy": {"Cross": content | changes}, "strategy_comparison": []}


def written(folder: Path, document: Any, name: str = "backtest-result.json") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_trades_become_ours_in_the_order_of_their_closing(tmp_path: Path) -> None:
    short = a_trade(0, is_short=True, open_rate=110.0, close_rate=100.0, exit_reason="trailing_stop_loss", pair="ETH/USDT")
    history = read_freqtrade_result(written(tmp_path, a_result(a_trade(5), short, a_trade(9, is_open=True))))
    assert (history.strategy, history.currency, history.timeframe, history.capital, history.open_trades) == (
        "Cross",
        "USDT",
        "1d",
        1000.0,
        1,
    )
    assert history.symbols == ("ETH/USDT", "BTC/USDT")
    trades = history.trades
    assert trades.side.tolist() == [-1, 1]
    assert trades.opened_at.tolist() == [START_MS * 1000, (START_MS + 5 * DAY_MS) * 1000]
    assert trades.entry_value.tolist() == [220.0, 200.0]
    assert trades.realised.tolist() == [20.0, 20.0]
    assert trades.results.tolist() == pytest.approx([19.58, 19.58])
    assert trades.exit_reason.tolist() == [ExitReason.TRAILING, ExitReason.TARGET]
    assert history.stated["profit_total"] == 0.01958
    assert history.told == {"total_return": 0.01958}


def test_orders_of_a_trade_count_where_there_are_several(tmp_path: Path) -> None:
    orders = [
        {"ft_is_entry": True, "amount": 1.0, "safe_price": 100.0},
        {"ft_is_entry": True, "amount": 1.0, "safe_price": 90.0},
        {"ft_is_entry": False, "amount": 2.0, "safe_price": 99.0},
    ]
    history = read_freqtrade_result(written(tmp_path, a_result(a_trade(0, orders=orders, profit_abs=7.5))))
    assert (history.trades.quantity[0], history.trades.entry_value[0], history.trades.exit_value[0]) == (2.0, 190.0, 198.0)
    assert history.trades.fees[0] == pytest.approx(0.5)


def test_figures_are_worked_out_from_the_trades(tmp_path: Path) -> None:
    lost = a_trade(2, close_rate=90.0, profit_abs=-20.38, exit_reason="stop_loss")
    history = read_freqtrade_result(written(tmp_path, a_result(a_trade(0), lost, a_trade(4))))
    assert history.equity.equity.tolist() == pytest.approx([1000.0, 1019.58, 999.2, 1018.78, 1018.78])
    figures = history.figures()
    assert figures["total_return"].value == pytest.approx(0.01878)
    assert figures["win_rate"].value == pytest.approx(2 / 3)


def test_days_without_a_closing_count_in_the_figures(tmp_path: Path) -> None:
    history = read_freqtrade_result(written(tmp_path, a_result(a_trade(0), a_trade(20, profit_abs=-10.0))))
    daily = history.daily_equity.daily
    assert len(daily) == 32 and sorted(set(daily.values.tolist())) == pytest.approx([1000.0, 1009.58, 1019.58])
    assert history.figures()["sharpe"].value is not None


def test_a_result_without_trades_is_a_flat_line(tmp_path: Path) -> None:
    history = read_freqtrade_result(written(tmp_path, a_result()))
    assert history.equity.equity.tolist() == [1000.0, 1000.0]
    assert len(history.trades) == 0
    assert history.figures()["total_return"].value == 0.0


def test_the_zip_around_a_result_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "backtest-result-2020.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("backtest-result-2020_config.json", "{}")
        archive.writestr("backtest-result-2020_Cross.py", "raise SystemExit")
        archive.writestr("backtest-result-2020.json", json.dumps(a_result(a_trade(0))))
    assert len(read_freqtrade_result(path).trades) == 1


def test_one_of_several_strategies_is_named(tmp_path: Path) -> None:
    document = a_result(a_trade(0))
    document["strategy"]["Other"] = a_result()["strategy"]["Cross"]
    path = written(tmp_path, document)
    assert len(read_freqtrade_result(path, strategy="Other").trades) == 0
    with pytest.raises(InvalidInput, match=r"several strategies.*Cross, Other"):
        read_freqtrade_result(path)
    with pytest.raises(InvalidInput, match="no strategy 'Nobody'"):
        read_freqtrade_result(path, strategy="Nobody")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("not json", "is no JSON"),
        ("[]", "it has no strategy"),
        ('{"Cross": {"run_id": "1"}}', "is the description beside a result"),
        ('{"strategy": {}}', "it has no strategy"),
        ('{"strategy": {"Cross": {"trades": 7}}}', "has no list of trades"),
        (a_result(a_trade(0), starting_balance=None), "no starting balance"),
        (a_result(a_trade(0, profit_abs=None)), "no number for 'profit_abs'"),
        (a_result(a_trade(0, open_rate="NaN")), "no number for 'open_rate'"),
        (a_result(a_trade(0, open_timestamp=None)), "no time for its open"),
        (a_result(a_trade(3, close_timestamp=START_MS)), "closes before it opens"),
        (json.dumps(a_result(a_trade(0, amount=float("inf")))), "no number for 'amount'"),
    ],
)
def test_other_files_are_refused_with_a_reason(tmp_path: Path, document: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_freqtrade_result(written(tmp_path, document))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_freqtrade_result(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"close_timestamp": 1e300}, "no time for its close"),
        ({"close_timestamp": 10**14}, "not between 1970 and 2100"),
        ({"open_timestamp": None, "open_date": "0001-01-01T00:00:00+14:00"}, "not between 1970 and 2100"),
        ({"amount": 1e308}, "no number for 'amount'"),
        ({"amount": 10**400}, "no number for 'amount'"),
        ({"pair": "A\u0000B"}, "cannot be shown"),
        ({"pair": "\ud800"}, "cannot be shown"),
        ({"pair": "A" * 201}, "more than 200 letters"),
    ],
)
def test_a_trade_that_could_not_be_reckoned_or_stored_is_refused(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read_freqtrade_result(written(tmp_path, a_result(a_trade(0, **changes))))


def test_numbers_that_are_beyond_all_measure_are_left_out(tmp_path: Path) -> None:
    history = read_freqtrade_result(written(tmp_path, a_result(a_trade(0), sharpe=10**400, backtest_end_ts=1e300)))
    assert "sharpe" not in history.told
    assert history.ended_at == (START_MS + DAY_MS) * 1000


def test_a_damaged_or_strange_archive_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "result.zip"
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
        with zipfile.ZipFile(packed, "w", method) as archive:
            archive.writestr("backtest-result.json", json.dumps(a_result(a_trade(0))))
        whole = packed.read_bytes()
        for place in range(len(whole)):
            packed.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
            with suppress(InvalidInput):
                read_freqtrade_result(packed)
    packed.write_bytes(whole)
    with pytest.raises(InvalidInput, match="packed in an unusual way"):
        read_freqtrade_result(packed)


def test_an_archive_that_states_a_smaller_size_unpacks_to_no_more(tmp_path: Path) -> None:
    packed = tmp_path / "result.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("backtest-result.json", " " * 5_000_000)
    size = (5_000_000).to_bytes(4, "little")
    packed.write_bytes(packed.read_bytes().replace(size, (100).to_bytes(4, "little")))
    tracemalloc.start()
    with pytest.raises(InvalidInput):
        read_freqtrade_result(packed, most_bytes=1_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000
