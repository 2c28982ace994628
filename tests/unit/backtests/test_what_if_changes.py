"""What may be asked of a decision: numbers in their ranges, each refusal at its field, and the same question in one form."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.backtests.domain.what_if import WhatIfChanges, changes_from_json
from apps.core.errors import InvalidInput
from apps.orders.domain.profiles import DEFAULT, FeeTier
from tests.factories.windows import make_spec

NOON = datetime(2007, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({}, "changes"),
        ({"confidence": Decimal("1.2")}, "confidence"),
        ({"confidence": Decimal("NaN")}, "confidence"),
        ({"risk_per_trade": Decimal(0)}, "risk_per_trade"),
        ({"quantity": Decimal("1.00000000001")}, "quantity"),
        ({"quantity": Decimal(0)}, "quantity"),
        ({"quantity": Decimal(10) ** 12}, "quantity"),
        ({"fee_bps": Decimal(-1)}, "fee_bps"),
        ({"spread_bps": Decimal("0.001")}, "spread_bps"),
        ({"limits": {"NO_SUCH": Decimal(1)}}, "limits"),
        ({"limits": {"MAX_DRAWDOWN": Decimal(-1)}}, "limits.MAX_DRAWDOWN"),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_field(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        WhatIfChanges(**changes).check(make_spec())
    assert caught.value.where == where
    assert caught.value.message.endswith(".")


def test_the_same_changes_have_one_form() -> None:
    changes = WhatIfChanges({"MAX_DRAWDOWN": None, "MAX_DAILY_LOSS": Decimal("0.10")}, quantity=Decimal("5.00"), fee_bps=Decimal(0))
    assert changes.to_json() == {"limits": {"MAX_DAILY_LOSS": "0.1", "MAX_DRAWDOWN": None}, "quantity": "5", "fee_bps": "0"}
    again = changes_from_json(changes.to_json())
    assert (again, again.fingerprint()) == (changes, changes.fingerprint())
    assert WhatIfChanges(quantity=Decimal(5), is_lasting=True).fingerprint() != WhatIfChanges(quantity=Decimal(5)).fingerprint()
    assert WhatIfChanges(is_lasting=True).is_empty


def test_a_fee_takes_the_place_of_every_rate_and_the_rest_of_the_profile_stays() -> None:
    tiered = replace(DEFAULT, fees=replace(DEFAULT.fees, minimum=Decimal(1), tiers=(FeeTier(Decimal(1000), Decimal(1), Decimal(2)),)))
    at = WhatIfChanges(fee_bps=Decimal(20), spread_bps=Decimal(8)).at(make_spec().id, NOON, tiered)
    assert at.profile is not None
    assert (at.profile.fees.maker_bps, at.profile.fees.taker_bps, at.profile.fees.tiers) == (Decimal(20), Decimal(20), ())
    assert at.profile.fees.minimum == Decimal(1)
    assert at.profile.slippage == replace(tiered.slippage, spread_bps=Decimal(8))
    assert WhatIfChanges(confidence=Decimal(1)).at(make_spec().id, NOON, tiered).profile is None
