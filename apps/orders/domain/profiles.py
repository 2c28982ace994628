"""How the engine fills and what it charges: rules and cost models by name, and the row of numbers that kernels read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

import numpy as np
import numpy.typing as npt

from apps.core.errors import InvalidInput, NotFound, OutOfBounds
from apps.core.rounding import require_finite
from apps.core.values import InstrumentSpec
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine_codes import LimitGap, LimitRule, RangeOrder, SlippageModel, StopGap, TrailRule

PPM_PER_BPS = 100
MAX_BPS = Decimal(5_000)
"""Half of the price: far beyond any real cost, far below what could overflow or turn a price negative."""
MOST_TIERS = 3
LARGEST_FEE = code.INT64_SAFE // 2
"""In cash units: with the rate on the value, at most half of 2^61, a fee stays within 2^61."""


@dataclass(frozen=True)
class FeeTier:
    """Rates from a traded value on."""

    from_value: Decimal
    maker_bps: Decimal
    taker_bps: Decimal


@dataclass(frozen=True)
class FeeModel:
    """What a fill costs: `flat` + rate on the value + `per_unit` of quantity, at least `minimum`, at most `cap_bps` of the value (0 = none).

    With `is_capped_above_minimum` the cap is looked at only where the fee is above the minimum, as Interactive Brokers do for shares.
    """

    maker_bps: Decimal = Decimal(0)
    taker_bps: Decimal = Decimal(0)
    flat: Decimal = Decimal(0)
    per_unit: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    cap_bps: Decimal = Decimal(0)
    is_capped_above_minimum: bool = False
    tiers: tuple[FeeTier, ...] = ()


@dataclass(frozen=True)
class Slippage:
    """What taking liquidity costs beyond the price. `impact_bps` is the cost of the whole volume (VOLUME_SHARE, SQUARE_ROOT, FITTED)."""

    model: SlippageModel = SlippageModel.NONE
    spread_bps: Decimal = Decimal(0)
    slippage_bps: Decimal = Decimal(0)
    impact_bps: Decimal = Decimal(0)


@dataclass(frozen=True)
class EngineProfile:
    """The rules and costs of a market, all swappable. `volume_share` is the part of a bar's volume that orders may take; 0 = no limit.

    `leverage` 1 without shorts is a cash account. `maintenance` is the part of a position's value that equity must cover; below `margin_call`
    of it the account is told (None: midway between maintenance and 1 / leverage, see `margin_calls.py`).
    """

    name: str
    limit_rule: LimitRule = LimitRule.THROUGH
    limit_gap: LimitGap = LimitGap.AT_OPEN
    stop_gap: StopGap = StopGap.BEYOND
    trail_rule: TrailRule = TrailRule.TEST_RAISE_TEST_CLOSE
    range_order: RangeOrder = RangeOrder.STOPS_FIRST
    fees: FeeModel = field(default_factory=FeeModel)
    slippage: Slippage = field(default_factory=Slippage)
    volume_share: Decimal = Decimal(0)
    leverage: Decimal = Decimal(1)
    maintenance: Decimal = Decimal("0.5")
    margin_call: Decimal | None = None
    allows_short: bool = False
    is_at_close: bool = False
    latency_us: int = 0

    @property
    def is_cash_only(self) -> bool:
        """Whether nothing can be borrowed and so nothing liquidated."""
        return self.leverage == 1 and not self.allows_short

    @property
    def can_liquidate(self) -> bool:
        """Whether even what was bought with the account's own money may be closed by the venue."""
        return not self.is_cash_only and (self.leverage != 1 or self.maintenance > 0)


DEFAULT = EngineProfile(
    "default",
    fees=FeeModel(maker_bps=Decimal(5), taker_bps=Decimal(5)),
    slippage=Slippage(SlippageModel.PPM, spread_bps=Decimal(2), slippage_bps=Decimal(1)),
    volume_share=Decimal("0.1"),
)
IDEAL = EngineProfile("ideal", limit_rule=LimitRule.TOUCH, trail_rule=TrailRule.RAISE_TEST)
FREQTRADE = EngineProfile(
    "freqtrade",
    limit_rule=LimitRule.TOUCH,
    limit_gap=LimitGap.CLAMPED,
    stop_gap=StopGap.OUTSIDE_BAR,
    trail_rule=TrailRule.FREQTRADE,
    range_order=RangeOrder.TRAILING_LAST,
    allows_short=True,
)
LEAN = EngineProfile("lean", trail_rule=TrailRule.TEST_RAISE, range_order=RangeOrder.ACCEPTANCE, leverage=Decimal(2), allows_short=True)

PROFILES: Mapping[str, EngineProfile] = {profile.name: profile for profile in (DEFAULT, IDEAL, FREQTRADE, LEAN)}


def profile_named(name: str) -> EngineProfile:
    """The profile of that name; raises NotFound."""
    try:
        return PROFILES[name]
    except KeyError:
        raise NotFound(f"There is no profile {name!r}.", where="profile", hint=f"Known: {', '.join(PROFILES)}.") from None


def place_row(instrument: InstrumentSpec, profile: EngineProfile, *, currency: int) -> npt.NDArray[np.int64]:
    """The instrument's row of `places`. Raises OutOfBounds, InexactValue or InvalidInput where a number does not fit."""
    instrument.check_bounds()
    row = np.zeros(code.PLACE_COLUMNS, np.int64)
    row[code.I_TICK] = instrument.price_units(instrument.tick_size)
    row[code.I_MAX_PRICE] = instrument.price_units(instrument.max_price)
    row[code.I_MIN_LOTS] = max(1, instrument.quantity_lots(instrument.min_quantity))
    row[code.I_MAX_LOTS] = instrument.quantity_lots(instrument.max_quantity)
    row[code.I_MIN_NOTIONAL] = _cash_up(instrument, instrument.min_notional)
    row[code.I_CASH_PER_PRICE_LOT] = instrument.cash_units_per_price_unit_lot
    row[code.I_CURRENCY] = currency
    row[code.I_ALLOWS_SHORT] = profile.allows_short
    row[code.I_VOLUME_SHARE_PPM] = _ppm_of_one(profile.volume_share, "volume_share")
    row[code.I_LIMIT_RULE], row[code.I_LIMIT_GAP], row[code.I_STOP_GAP] = profile.limit_rule, profile.limit_gap, profile.stop_gap
    row[code.I_TRAIL_RULE], row[code.I_RANGE_ORDER] = profile.trail_rule, profile.range_order
    row[code.I_LOW_BOUND], row[code.I_HIGH_BOUND], row[code.I_TIME_BOUND] = -1, code.UNBOUNDED, code.UNBOUNDED
    _write_margin(row, profile)
    _write_slippage(row, profile.slippage)
    _write_fees(row, profile.fees, instrument)
    return row


def _write_margin(row: npt.NDArray[np.int64], profile: EngineProfile) -> None:
    if not 1 <= require_finite(profile.leverage, name="leverage") <= 1000:
        raise InvalidInput(f"Leverage must be 1 to 1,000, got {profile.leverage}.", where="leverage")
    row[code.I_INITIAL_PPM] = int((code.PPM / profile.leverage).to_integral_value(rounding=ROUND_CEILING))
    maintenance = _ppm_of_one(profile.maintenance, "maintenance")
    row[code.I_MAINTENANCE_PPM] = min(maintenance, int(row[code.I_INITIAL_PPM]))


def _write_slippage(row: npt.NDArray[np.int64], slippage: Slippage) -> None:
    row[code.I_SLIPPAGE] = slippage.model
    row[code.I_HALF_SPREAD_PPM] = (ppm(slippage.spread_bps, "spread_bps") + 1) // 2
    row[code.I_SLIPPAGE_PPM] = ppm(slippage.slippage_bps, "slippage_bps")
    row[code.I_IMPACT_PPM] = ppm(slippage.impact_bps, "impact_bps")


def _write_fees(row: npt.NDArray[np.int64], fees: FeeModel, instrument: InstrumentSpec) -> None:
    row[code.I_FEE_MAKER_PPM], row[code.I_FEE_TAKER_PPM] = ppm(fees.maker_bps, "maker_bps"), ppm(fees.taker_bps, "taker_bps")
    row[code.I_FEE_FLAT] = _cash_up(instrument, fees.flat)
    row[code.I_FEE_MINIMUM] = _cash_up(instrument, fees.minimum)
    per_lot = require_finite(fees.per_unit, name="per_unit") * instrument.lot_size / instrument.cash_unit * code.PPM
    row[code.I_FEE_PER_LOT_PPM] = _bounded(per_lot, "per_unit")
    largest = int(row[code.I_FEE_FLAT]) + int(row[code.I_FEE_PER_LOT_PPM]) * int(row[code.I_MAX_LOTS]) // code.PPM
    if largest > LARGEST_FEE:
        raise OutOfBounds(
            f"{instrument.symbol}: the flat fee and the fee per unit of its largest order come to {instrument.cash(largest)}, more than can be"
            " counted exactly.",
            where="per_unit",
            hint="Lower the fee, the instrument's largest quantity or the decimals of its cash.",
        )
    row[code.I_FEE_CAP_PPM] = ppm(fees.cap_bps, "cap_bps")
    row[code.I_FEE_CAP_ABOVE_MINIMUM] = fees.is_capped_above_minimum
    if len(fees.tiers) > MOST_TIERS:
        raise InvalidInput(f"At most {MOST_TIERS} fee tiers, got {len(fees.tiers)}.", where="tiers")
    row[code.I_TIERS] = len(fees.tiers)
    for index, tier in enumerate(sorted(fees.tiers, key=lambda item: item.from_value)):
        first = code.I_TIER_1 + 3 * index
        row[first] = _cash_up(instrument, tier.from_value)
        row[first + 1], row[first + 2] = ppm(tier.maker_bps, "tiers"), ppm(tier.taker_bps, "tiers")


def ppm(bps: Decimal, name: str) -> int:
    """Basis points as whole millionths: 0 to 5,000 with at most two decimals."""
    value = require_finite(bps, name=name) * PPM_PER_BPS
    if not 0 <= bps <= MAX_BPS or value != value.to_integral_value():
        raise InvalidInput(f"{name} must be 0 to {MAX_BPS} basis points with at most two decimals, got {bps}.", where=name)
    return int(value)


def _ppm_of_one(share: Decimal, name: str) -> int:
    value = require_finite(share, name=name) * code.PPM
    if not 0 <= share <= 1 or value != value.to_integral_value():
        raise InvalidInput(f"{name} must be 0 to 1 with at most six decimals, got {share}.", where=name)
    return int(value)


def _cash_up(instrument: InstrumentSpec, amount: Decimal) -> int:
    return _bounded(require_finite(amount, name="amount") / instrument.cash_unit, "amount")


def _bounded(units: Decimal, name: str) -> int:
    if not 0 <= units <= code.INT64_SAFE:
        raise InvalidInput(f"{name} must be from 0 to {code.INT64_SAFE} units, got {units}.", where=name)
    return int(units.to_integral_value(rounding=ROUND_CEILING))
