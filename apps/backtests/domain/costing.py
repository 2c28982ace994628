"""The engine's profile of a run: the named one with what the configuration changes of it; and the same run with dearer or cheaper costs."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from apps.backtests.domain.config import Costs, FillTiming, RunConfig
from apps.orders.domain.engine_codes import SlippageModel
from apps.orders.domain.profiles import PPM_PER_BPS, EngineProfile, FeeModel, Slippage, profile_named

_PPM = Decimal(1_000_000)


def engine_profile(config: RunConfig) -> EngineProfile:
    """Rules and costs that the run's fills follow."""
    named = profile_named(config.profile)
    costs = config.costs
    return replace(
        named,
        fees=_fees(named.fees, costs),
        slippage=_slippage(named.slippage, costs),
        volume_share=named.volume_share if costs.volume_share_ppm is None else Decimal(costs.volume_share_ppm) / _PPM,
        leverage=config.leverage,
        allows_short=config.allows_short,
        is_at_close=config.timing is FillTiming.AT_CLOSE,
        latency_us=config.latency_ms * 1_000 + config.latency_bars * int(config.timeframe.duration.total_seconds()) * 1_000_000,
    )


def has_fees(config: RunConfig) -> bool:
    """Whether a fill costs a fee."""
    fees = engine_profile(config).fees
    return any((fees.maker_bps, fees.taker_bps, fees.flat, fees.per_unit, fees.minimum))


def has_slippage(config: RunConfig) -> bool:
    """Whether taking liquidity costs more than the price."""
    slippage = engine_profile(config).slippage
    return slippage.model is not SlippageModel.NONE and any((slippage.spread_bps, slippage.slippage_bps, slippage.impact_bps))


def with_costs(config: RunConfig, *, fees: Decimal = Decimal(1), slippage: Decimal = Decimal(1)) -> RunConfig:
    """The same run with every fee and every rate of spread, slippage and impact multiplied; rates are rounded to a millionth."""
    profile = engine_profile(config)
    fee, slip = profile.fees, profile.slippage
    return msgspec.structs.replace(
        config,
        costs=Costs(
            half_spread_ppm=_times(slip.spread_bps / 2, slippage),
            slippage_ppm=_times(slip.slippage_bps, slippage),
            impact_ppm=_times(slip.impact_bps, slippage),
            fee_maker_ppm=_times(fee.maker_bps, fees),
            fee_taker_ppm=_times(fee.taker_bps, fees),
            fee_flat=fee.flat * fees,
            fee_per_unit=fee.per_unit * fees,
            fee_minimum=fee.minimum * fees,
            fee_cap_ppm=_times(fee.cap_bps, fees),
            volume_share_ppm=config.costs.volume_share_ppm,
        ),
    )


def _times(bps: Decimal, multiple: Decimal) -> int:
    return int((bps * PPM_PER_BPS * multiple).to_integral_value(rounding=ROUND_HALF_EVEN))


def _fees(named: FeeModel, costs: Costs) -> FeeModel:
    return replace(
        named,
        maker_bps=_bps(costs.fee_maker_ppm, named.maker_bps),
        taker_bps=_bps(costs.fee_taker_ppm, named.taker_bps),
        flat=_amount(costs.fee_flat, named.flat),
        per_unit=_amount(costs.fee_per_unit, named.per_unit),
        minimum=_amount(costs.fee_minimum, named.minimum),
        cap_bps=_bps(costs.fee_cap_ppm, named.cap_bps),
    )


def _slippage(named: Slippage, costs: Costs) -> Slippage:
    """Costs on a profile without slippage bring the model that they belong to."""
    model = named.model
    if costs.impact_ppm and model in (SlippageModel.NONE, SlippageModel.PPM, SlippageModel.HALF_SPREAD):
        model = SlippageModel.SQUARE_ROOT
    elif model is SlippageModel.NONE and (costs.half_spread_ppm or costs.slippage_ppm):
        model = SlippageModel.PPM
    spread = named.spread_bps if costs.half_spread_ppm is None else Decimal(2 * costs.half_spread_ppm) / PPM_PER_BPS
    return replace(
        named,
        model=model,
        spread_bps=spread,
        slippage_bps=_bps(costs.slippage_ppm, named.slippage_bps),
        impact_bps=_bps(costs.impact_ppm, named.impact_bps),
    )


def _bps(ppm: int | None, named: Decimal) -> Decimal:
    return named if ppm is None else Decimal(ppm) / PPM_PER_BPS


def _amount(amount: Decimal | None, named: Decimal) -> Decimal:
    return named if amount is None else amount
