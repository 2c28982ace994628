"""What an account at the simulated venue is set to, as a profile of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from apps.core.errors import InvalidInput
from apps.orders.domain.engine_codes import SlippageModel
from apps.orders.domain.profiles import EngineProfile, FeeModel, FeeTier, Slippage, profile_named
from apps.orders.domain.vocabulary import SlippageChoice, VenueProfile

_MODELS = {
    SlippageChoice.FIXED: SlippageModel.PPM,
    SlippageChoice.VOLUME_SHARE: SlippageModel.VOLUME_SHARE,
    SlippageChoice.SQUARE_ROOT: SlippageModel.SQUARE_ROOT,
}


@dataclass(frozen=True)
class VenueTerms:
    """What the simulated venue charges an account and by whose rules it fills. Basis points have at most two decimals, percentages four.

    The profile gives the rules alone; costs, volume and margin are as they stand here.
    """

    profile: VenueProfile = VenueProfile.DEFAULT
    fee_bps: Decimal = Decimal(5)
    maker_fee_bps: Decimal | None = None
    fee_flat: Decimal = Decimal(0)
    fee_per_unit: Decimal = Decimal(0)
    fee_minimum: Decimal = Decimal(0)
    fee_cap_bps: Decimal = Decimal(0)
    fee_tiers: tuple[tuple[Decimal, Decimal, Decimal], ...] = ()
    """Rows of (value traded, maker bps, taker bps)."""
    spread_bps: Decimal = Decimal(2)
    slippage_bps: Decimal = Decimal(1)
    slippage_model: SlippageChoice = SlippageChoice.FIXED
    impact_bps: Decimal = Decimal(0)
    volume_percent: Decimal = Decimal(0)
    leverage: Decimal = Decimal(1)
    maintenance_percent: Decimal = Decimal(0)
    allows_short: bool = True
    latency_ms: int = 0

    @property
    def engine_profile(self) -> EngineProfile:
        """The rules and costs for the engine."""
        rules = profile_named(self.profile)
        return replace(
            rules,
            fees=FeeModel(
                maker_bps=self.fee_bps if self.maker_fee_bps is None else self.maker_fee_bps,
                taker_bps=self.fee_bps,
                flat=self.fee_flat,
                per_unit=self.fee_per_unit,
                minimum=self.fee_minimum,
                cap_bps=self.fee_cap_bps,
                tiers=tuple(FeeTier(*row) for row in self.fee_tiers),
            ),
            slippage=Slippage(_MODELS[self.slippage_model], self.spread_bps, self.slippage_bps, self.impact_bps),
            volume_share=self.volume_percent / 100,
            leverage=self.leverage,
            maintenance=self.maintenance_percent / 100,
            allows_short=self.allows_short,
            latency_us=self.latency_ms * 1000,
        )

    @property
    def can_liquidate(self) -> bool:
        """Whether even what was bought with the account's own money may be closed by the venue."""
        return self.leverage != 1 or self.maintenance_percent > 0


def tiers_of(rows: Sequence[Sequence[object]]) -> tuple[tuple[Decimal, Decimal, Decimal], ...]:
    """Fee tiers as they are stored; raises InvalidInput where a row is not three numbers or the values do not ascend."""
    try:
        tiers = tuple((Decimal(str(value)), Decimal(str(maker)), Decimal(str(taker))) for value, maker, taker in rows)
    except (InvalidOperation, TypeError, ValueError):
        raise InvalidInput(
            "Each fee tier is [value traded, maker bps, taker bps].",
            where="fee_tiers",
            hint="For example [[100000, 8, 10], [1000000, 6, 8]].",
        ) from None
    values = [value for value, _, _ in tiers]
    if values != sorted(set(values)):
        raise InvalidInput("The values of the fee tiers must ascend.", where="fee_tiers", hint="Put the smallest value first.")
    return tiers
