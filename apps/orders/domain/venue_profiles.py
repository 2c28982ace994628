"""What an account at the simulated venue is set to, as a profile of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.core.errors import InvalidInput
from apps.core.rounding import require_finite
from apps.orders.domain.engine_codes import SlippageModel
from apps.orders.domain.profiles import MOST_TIERS, EngineProfile, FeeModel, FeeTier, Slippage, ppm, profile_named
from apps.orders.domain.terms import PPM_PER_PERCENT
from apps.orders.domain.vocabulary import SlippageChoice, VenueProfile

_LARGEST_AMOUNT = Decimal(1_000_000_000)
_LARGEST_LEVERAGE = 1000
LARGEST_LATENCY_MS = 2**31 - 1
"""What the account's row has room for: 24 days."""
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
    margin_call_percent: Decimal | None = None
    """None: midway between the maintenance and the initial margin."""
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
            margin_call=None if self.margin_call_percent is None else self.margin_call_percent / 100,
            allows_short=self.allows_short,
            latency_us=self.latency_ms * 1000,
        )

    def check(self) -> None:
        """Raise InvalidInput naming the field whose number cannot be used."""
        for name in ("fee_bps", "maker_fee_bps", "fee_cap_bps", "spread_bps", "slippage_bps", "impact_bps"):
            value = getattr(self, name)
            if value is not None:
                ppm(value, name)
        for name in ("volume_percent", "maintenance_percent", "margin_call_percent"):
            given = getattr(self, name)
            if given is None:
                continue
            value = require_finite(given, name=name)
            if not 0 <= value <= 100 or value * PPM_PER_PERCENT % 1:
                raise InvalidInput(f"{name} must be 0 to 100 with at most four decimals, got {value}.", where=name)
        for name in ("fee_flat", "fee_per_unit", "fee_minimum"):
            value = require_finite(getattr(self, name), name=name)
            if not 0 <= value <= _LARGEST_AMOUNT:
                raise InvalidInput(f"{name} must be 0 to {_LARGEST_AMOUNT}, got {value}.", where=name)
        if self.margin_call_percent is not None and self.margin_call_percent <= self.maintenance_percent:
            raise InvalidInput(
                f"margin_call_percent must be above the maintenance of {self.maintenance_percent} percent, got {self.margin_call_percent}.",
                where="margin_call_percent",
                hint="Leave it empty for midway between the maintenance and the initial margin.",
            )
        if not 1 <= require_finite(self.leverage, name="leverage") <= _LARGEST_LEVERAGE:
            raise InvalidInput(f"leverage must be 1 to {_LARGEST_LEVERAGE}, got {self.leverage}.", where="leverage")
        if not 0 <= self.latency_ms <= LARGEST_LATENCY_MS:
            raise InvalidInput(f"latency_ms must be 0 to {LARGEST_LATENCY_MS}, got {self.latency_ms}.", where="latency_ms")
        self._check_tiers()

    def _check_tiers(self) -> None:
        if len(self.fee_tiers) > MOST_TIERS:
            raise InvalidInput(f"There may be {MOST_TIERS} fee tiers, got {len(self.fee_tiers)}.", where="fee_tiers")
        for value, maker, taker in self.fee_tiers:
            if not 0 <= require_finite(value, name="fee_tiers") <= _LARGEST_AMOUNT:
                raise InvalidInput(f"The value of a fee tier must be 0 to {_LARGEST_AMOUNT}, got {value}.", where="fee_tiers")
            ppm(maker, "fee_tiers")
            ppm(taker, "fee_tiers")

    @property
    def stored(self) -> dict[str, Any]:
        """What the account's row keeps, by field."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"fee_tiers": [[str(number) for number in row] for row in self.fee_tiers]}

    @property
    def can_liquidate(self) -> bool:
        """Whether even what was bought with the account's own money may be closed by the venue."""
        return self.engine_profile.can_liquidate


def terms_from_stored(values: Mapping[str, Any]) -> VenueTerms:
    """Terms as an account's row or an event keeps them; what is left out is the default."""
    words: dict[str, Callable[[Any], Any]] = {"profile": VenueProfile, "slippage_model": SlippageChoice, "fee_tiers": tiers_of}
    read: dict[str, Any] = {name: words[name](value) if name in words else value for name, value in values.items()}
    read |= {name: Decimal(value) for name, value in read.items() if isinstance(value, str) and name not in words}
    return VenueTerms(**read)


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
