"""What a configuration must hold before anything is run: each refusal says what, where and what to do."""

from __future__ import annotations

from decimal import Decimal

from apps.backtests.domain.config import RunConfig, RunMode, SizingMethod
from apps.backtests.domain.robustness import check_robustness
from apps.backtests.domain.walk_forward import SCORES
from apps.core.errors import InvalidInput, OutOfBounds
from apps.core.values import INT64_SAFE, InstrumentSpec

MOST_INSTRUMENTS = 200
MOST_RATES = 50
LARGEST_SEED = 2**63 - 1
LARGEST_LEVERAGE = Decimal(100)
_LARGEST_PPM = 1_000_000
_FRACTIONS = (SizingMethod.FRACTION, SizingMethod.RISK)


def check_config(config: RunConfig) -> None:
    """Raise InvalidInput for what can be told without the bars."""
    if bool(config.instrument_ids) + (config.bar_file is not None) + (config.tick_file is not None) != 1:
        raise InvalidInput(
            "A backtest needs instruments, a file of bars or a file of ticks.", where="instrument_ids", hint="Give one of the three."
        )
    if len(config.instrument_ids) > MOST_INSTRUMENTS:
        raise InvalidInput(f"A backtest takes at most {MOST_INSTRUMENTS} instruments.", where="instrument_ids")
    if len(set(config.instrument_ids)) < len(config.instrument_ids):
        raise InvalidInput("An instrument is named twice.", where="instrument_ids")
    _check_times(config)
    _require_positive(config.capital, "capital")
    _check_rates(config)
    if not config.leverage.is_finite() or not 1 <= config.leverage <= LARGEST_LEVERAGE:
        raise InvalidInput(f"The leverage must be from 1 to {LARGEST_LEVERAGE}, got {config.leverage}.", where="leverage")
    if not 0 <= config.seed <= LARGEST_SEED:
        raise InvalidInput(f"The seed must be from 0 to {LARGEST_SEED}.", where="seed")
    _check_sizing(config)
    _check_costs(config)
    _check_walk_forward(config)
    check_robustness(config.robustness)
    if config.tick_file is not None and config.robustness.scenarios:
        raise InvalidInput(
            "Scenarios are put into bars; a run over ticks has none.",
            where="robustness.scenarios",
            hint="Leave them out, or run over bars.",
        )


def check_capital(config: RunConfig, instrument: InstrumentSpec) -> None:
    """Raise OutOfBounds where the capital does not fit the instrument's cash units, InvalidInput where the currencies differ without a rate."""
    if config.currency != instrument.quote_asset:
        _require_rate(config, instrument)
        return
    largest = INT64_SAFE * instrument.cash_unit
    if config.capital * config.leverage > largest:
        raise OutOfBounds(
            f"A capital of {config.capital} {config.currency} is more than {instrument.symbol} can be reckoned with exactly.",
            where="capital",
            hint=f"The largest is {largest / config.leverage:.0f}.",
        )
    instrument.cash_units(config.capital)


def _require_rate(config: RunConfig, instrument: InstrumentSpec) -> None:
    """Sessions and runs over ticks trade in the account's currency alone; vector and event runs over bars need the price of each other one."""
    paid_in = instrument.quote_asset
    is_alone = config.mode is RunMode.SESSION or config.tick_file is not None
    if is_alone or paid_in not in config.rates:
        rate = "" if is_alone else f", or the price of {paid_in} in {config.currency} among the rates"
        raise InvalidInput(
            f"{instrument.symbol} is paid in {paid_in}, the capital is in {config.currency}.",
            where="currency",
            hint=f"Give the capital in {paid_in}{rate}.",
        )
    if config.capital * config.leverage / config.rates[paid_in] > INT64_SAFE * instrument.cash_unit:
        raise OutOfBounds(
            f"A capital of {config.capital} {config.currency} is more than {instrument.symbol} can be reckoned with exactly.",
            where="capital",
        )


def _check_rates(config: RunConfig) -> None:
    if len(config.rates) > MOST_RATES:
        raise InvalidInput(f"A backtest takes at most {MOST_RATES} rates.", where="rates")
    for currency, rate in config.rates.items():
        _require_positive(rate, "rates")
        if currency == config.currency and rate != 1:
            raise InvalidInput(f"The rate of {currency}, the currency of the capital, is 1.", where="rates")


def _check_times(config: RunConfig) -> None:
    if config.start and config.end and config.start >= config.end:
        raise InvalidInput(f"The start {config.start:%Y-%m-%d %H:%M} is not before the end {config.end:%Y-%m-%d %H:%M} UTC.", where="start")
    if config.trade_from and config.end and config.trade_from >= config.end:
        raise InvalidInput(
            f"Trading would begin at {config.trade_from:%Y-%m-%d %H:%M}, after the end {config.end:%Y-%m-%d %H:%M} UTC.", where="trade_from"
        )


def _check_sizing(config: RunConfig) -> None:
    method, amount = config.sizing.method, config.sizing.amount
    if method is SizingMethod.ALL:
        if amount is not None:
            raise InvalidInput("Sizing by all free cash takes no amount.", where="sizing.amount")
        return
    if amount is None:
        raise InvalidInput(f"Sizing by {method} needs an amount.", where="sizing.amount")
    _require_positive(amount, "sizing.amount")
    if method in _FRACTIONS and amount > config.leverage:
        raise InvalidInput(f"A fraction of {amount} is more than the leverage of {config.leverage} allows.", where="sizing.amount")


def _check_costs(config: RunConfig) -> None:
    for name in config.costs.__struct_fields__:
        value = getattr(config.costs, name)
        if value is None:
            continue
        where = f"costs.{name}"
        if isinstance(value, Decimal):
            if not value.is_finite() or value < 0:
                raise InvalidInput(f"{name} must not be negative, got {value}.", where=where)
        elif not 0 <= value <= _LARGEST_PPM:
            raise InvalidInput(f"{name} is in millionths, from 0 to {_LARGEST_PPM}, got {value}.", where=where)


def _check_walk_forward(config: RunConfig) -> None:
    plan = config.walk_forward
    for name in ("train_bars", "test_bars"):
        value = getattr(plan, name)
        if value is not None and value < 1:
            raise InvalidInput(f"{name} must be at least 1, got {value}.", where=f"walk_forward.{name}")
    if plan.objective not in SCORES:
        raise InvalidInput(
            f"There is no objective {plan.objective!r}.", where="walk_forward.objective", hint=f"Known: {', '.join(sorted(SCORES))}."
        )
    empty = [name for name, values in plan.search.items() if not values]
    if empty:
        raise InvalidInput(f"There is no value of {empty[0]} to choose from.", where=f"walk_forward.search.{empty[0]}")


def _require_positive(value: Decimal, where: str) -> None:
    if not value.is_finite() or value <= 0:
        raise InvalidInput(f"{where} must be a positive number, got {value}.", where=where)
