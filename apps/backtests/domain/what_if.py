"""What is asked when somebody asks "what if", and whether it can be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.backtests.domain.session_change import DecisionChange
from apps.core.errors import InvalidInput
from apps.core.rounding import require_finite
from apps.core.values import InstrumentSpec
from apps.orders.domain.profiles import MAX_BPS, EngineProfile, FeeModel, ppm
from apps.risk.domain.limits import is_limit

LARGEST_LIMIT = Decimal(10) ** 15
COSTS = ("fee_bps", "spread_bps", "slippage_bps")


@dataclass(frozen=True)
class WhatIfChanges:
    """What is to be different at one decision; None leaves a thing as it was.

    `limits` by code (None: switched off). `confidence` 0 to 1 stands for that of the forecast and of the signal. Risk per trade is a
    fraction of the session's capital; `quantity` is that of an order that opens a position. Costs are basis points, charged on everything
    that trades after the bar. With `is_lasting` the session's later decisions are made with the same changes.
    """

    limits: Mapping[str, Decimal | None] = field(default_factory=dict)
    confidence: Decimal | None = None
    risk_per_trade: Decimal | None = None
    quantity: Decimal | None = None
    fee_bps: Decimal | None = None
    spread_bps: Decimal | None = None
    slippage_bps: Decimal | None = None
    is_lasting: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.to_json().keys() - {"is_lasting"}

    def check(self, instrument: InstrumentSpec) -> None:
        """Raise InvalidInput naming the field that cannot be used, or where nothing is changed."""
        if self.is_empty:
            raise InvalidInput("Nothing is changed.", where="changes", hint="Change a limit, the confidence, the size or a cost.")
        for code, value in self.limits.items():
            _check_limit(code, value)
        _check_range(self.confidence, "confidence", Decimal(0), Decimal(1), hint="0.5 is no better than chance, 1 is certain.")
        _check_range(
            self.risk_per_trade, "risk_per_trade", Decimal(0), Decimal(1), is_open=True, hint="0.02 puts 2 % of the capital at risk."
        )
        self._check_quantity(instrument)
        for name in COSTS:
            value = getattr(self, name)
            if value is not None:
                _check_range(value, name, Decimal(0), MAX_BPS, hint="Basis points: 100 are one percent.")
                ppm(value, name)

    def _check_quantity(self, instrument: InstrumentSpec) -> None:
        quantity = self.quantity
        if quantity is None:
            return
        least = max(instrument.min_quantity, instrument.lot_size)
        _check_range(quantity, "quantity", least, instrument.max_quantity, hint="To open nothing, set a limit to 0 instead.")
        if quantity % instrument.lot_size:
            raise InvalidInput(
                f"The quantity {quantity} is not a multiple of the lot size {instrument.lot_size.normalize():f}.", where="quantity"
            )

    def at(self, session_id: UUID, bar_at: datetime, profile: EngineProfile) -> DecisionChange:
        """The change as the engine takes it; `profile` is that of the account."""
        return DecisionChange(
            session_id=session_id,
            bar_at=bar_at,
            is_lasting=self.is_lasting,
            limits=self.limits,
            confidence=None if self.confidence is None else float(self.confidence),
            risk_per_trade=self.risk_per_trade,
            quantity=self.quantity,
            profile=self._costs(profile),
        )

    def _costs(self, profile: EngineProfile) -> EngineProfile | None:
        """The profile with the other costs; None where they stay. A fee takes the place of maker and taker rates and of all tiers."""
        if all(getattr(self, name) is None for name in COSTS):
            return None
        fees, slippage = profile.fees, profile.slippage
        if self.fee_bps is not None:
            fees = FeeModel(self.fee_bps, self.fee_bps, fees.flat, fees.per_unit, fees.minimum, fees.cap_bps, fees.is_capped_above_minimum)
        if self.spread_bps is not None:
            slippage = replace(slippage, spread_bps=self.spread_bps)
        if self.slippage_bps is not None:
            slippage = replace(slippage, slippage_bps=self.slippage_bps)
        return replace(profile, fees=fees, slippage=slippage)

    def to_json(self) -> dict[str, Any]:
        """What is changed and nothing else; numbers as strings without needless zeros."""
        found: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "limits" and value:
                found["limits"] = {code: _text(limit) for code, limit in sorted(value.items())}
            elif item.name != "limits" and value is not None and value is not False:
                found[item.name] = value if isinstance(value, bool) else _text(value)
        return found

    def fingerprint(self) -> str:
        """The same changes give the same."""
        return hashlib.blake2b(json.dumps(self.to_json(), sort_keys=True).encode(), digest_size=16).hexdigest()


def changes_from_json(stored: Mapping[str, Any]) -> WhatIfChanges:
    """What `to_json` wrote."""
    values: dict[str, Any] = {
        name: value if isinstance(value, bool) else Decimal(value) for name, value in stored.items() if name != "limits"
    }
    limits = {code: None if value is None else Decimal(value) for code, value in stored.get("limits", {}).items()}
    return WhatIfChanges(limits=limits, **values)


def _check_limit(code: str, value: Decimal | None) -> None:
    if not is_limit(code):
        raise InvalidInput(f"There is no limit {code!r}.", where="limits")
    if value is not None:
        _check_range(value, f"limits.{code}", Decimal(0), LARGEST_LIMIT, hint="Leave it empty to keep it as it was.")


def _check_range(value: Decimal | None, name: str, least: Decimal, most: Decimal, *, is_open: bool = False, hint: str) -> None:
    if value is None:
        return
    require_finite(value, name=name)
    if not least <= value <= most or (is_open and value == least):
        low = f"above {_text(least)}" if is_open else f"{_text(least)}"
        label = name.removeprefix("limits.").replace("_", " ")
        raise InvalidInput(f"The {label} must be {low} to {_text(most)}, got {_text(value)}.", where=name, hint=hint)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
