"""Whatever number is unusable anywhere: nothing new is approved, and nothing breaks."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apps.core.vocabulary import OrderType, Side
from apps.risk.domain.facts import reserve_for
from apps.risk.domain.gate import judge
from apps.risk.domain.values import CheckCode, LimitCode
from tests.unit.risk.proposals import LIMITS, failures, make_exit, make_facts, make_proposal

UNUSABLE = st.sampled_from([Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity")])
NEEDED_NUMBERS = [("proposal", "quantity"), ("proposal", "reference_price"), ("proposal", "previous_close"), ("proposal", "confidence")] + [
    ("facts", name)
    for name in (
        "cash", "equity", "day_start_equity", "peak_equity", "gross_exposure", "position_quantity",
        "reserved_cash", "reserved_notional", "reserved_same_side",
    )
]  # fmt: skip
ANY_DECIMAL = st.one_of(
    st.decimals(allow_nan=True, allow_infinity=True), UNUSABLE, st.just(Decimal("1E+999999")), st.just(Decimal("-1E-999999"))
)


@given(spoiled=st.sampled_from(NEEDED_NUMBERS), bad=UNUSABLE)
def test_one_unusable_number_refuses_a_new_exposure(spoiled: tuple[str, str], bad: Decimal) -> None:
    where, name = spoiled
    proposal = make_proposal(**({name: bad} if where == "proposal" else {}))
    facts = make_facts(**({name: bad} if where == "facts" else {}))
    assert failures(judge(proposal, facts, LIMITS))


@given(
    numbers=st.fixed_dictionaries({name: ANY_DECIMAL for _, name in NEEDED_NUMBERS}),
    limits=st.dictionaries(st.sampled_from(list(LimitCode)), ANY_DECIMAL, min_size=len(LimitCode)),
    order_type=st.sampled_from(OrderType),
    own_price=st.one_of(st.none(), ANY_DECIMAL),
    side=st.sampled_from(Side),
)
def test_any_numbers_give_a_full_verdict_and_only_finite_ones_can_pass(
    numbers: dict[str, Decimal], limits: dict[LimitCode, Decimal | None], order_type: OrderType, own_price: Decimal | None, side: Side
) -> None:
    of_order = {name: numbers[name] for where, name in NEEDED_NUMBERS if where == "proposal"}
    of_account = {name: numbers[name] for where, name in NEEDED_NUMBERS if where == "facts"}
    proposal = make_proposal(**of_order, order_type=order_type, limit_price=own_price, stop_price=own_price, side=side)
    checks = judge(proposal, make_facts(**of_account), limits)
    assert [check.code for check in checks] == list(CheckCode)
    if not failures(checks):
        assert all(value.is_finite() for value in numbers.values())
        assert all(value is not None and value.is_finite() for value in limits.values())
        assert proposal.quantity > 0
        assert reserve_for(proposal).notional > 0


@given(changes=st.fixed_dictionaries({"quantity": st.integers(1, 200), "side": st.just(Side.SELL)}), spoil=ANY_DECIMAL)
def test_nothing_but_the_position_decides_on_an_exit(changes: dict[str, Any], spoil: Decimal) -> None:
    exit_order = make_exit(
        quantity=Decimal(changes["quantity"]),
        confidence=spoil,
        previous_close=spoil,
        reference_price=spoil,
        data_at=None,
        data_age_bars=None,
    )
    facts = replace(
        make_facts(), cash=spoil, equity=spoil, day_start_equity=spoil, peak_equity=spoil, gross_exposure=spoil, reserved_cash=spoil,
        reserved_notional=spoil, reserved_same_side=spoil,
    )  # fmt: skip
    assert failures(judge(exit_order, facts, dict.fromkeys(LimitCode, spoil))) == set()
    assert reserve_for(exit_order).is_reducing
    assert reserve_for(replace(exit_order, side=Side.BUY)).notional == 0
