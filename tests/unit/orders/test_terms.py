"""Amendments, the exits of a bracket, the terms of the simulated venue, and reasons in words."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from apps.core.errors import InvalidInput
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.orders.domain.brackets import ExitPrices, check_exits, exit_terms
from apps.orders.domain.engine_codes import Reason, SlippageModel
from apps.orders.domain.reasons import SENTENCES, sentence
from apps.orders.domain.terms import Amendment, OrderTerms, amended, ppm_of_percent
from apps.orders.domain.venue_profiles import VenueTerms, tiers_of
from apps.orders.domain.vocabulary import SlippageChoice, VenueProfile

LIMIT = OrderTerms(OrderType.LIMIT, TimeInForce.GTC, Decimal(10), limit_price=Decimal(99))


def test_an_amendment_changes_what_it_names_and_nothing_else() -> None:
    assert amended(LIMIT, Amendment(quantity=Decimal(8))) == replace(LIMIT, quantity=Decimal(8))
    assert amended(LIMIT, Amendment()) == LIMIT
    assert Amendment().is_empty
    assert Amendment(quantity=Decimal("8.50"), limit_price=Decimal(98)).text == "quantity 8.5, limit price 98"


def test_a_price_takes_the_place_of_an_offset_and_one_trail_that_of_the_other() -> None:
    child = OrderTerms(OrderType.STOP, TimeInForce.GTC, Decimal(10), stop_offset_percent=Decimal(-5))
    assert amended(child, Amendment(stop_price=Decimal(90))) == replace(child, stop_price=Decimal(90), stop_offset_percent=None)
    trailing = OrderTerms(OrderType.TRAILING, TimeInForce.GTC, Decimal(10), trail_percent=Decimal(5))
    assert amended(trailing, Amendment(trail_amount=Decimal(3))) == replace(trailing, trail_amount=Decimal(3), trail_percent=None)


def test_percentages_are_exact_millionths() -> None:
    assert (ppm_of_percent(Decimal("-5.0001")), ppm_of_percent(Decimal("0.0001"))) == (-50_001, 1)


def test_the_exits_lie_on_the_side_that_the_entry_says() -> None:
    both = ExitPrices(take_profit_percent=Decimal(10), stop_loss_percent=Decimal(5), trail_amount=Decimal(2))
    for side, target, stop in ((Side.BUY, 10, -5), (Side.SELL, -10, 5)):
        legs = exit_terms(side, Decimal(7), both)
        assert list(legs) == ["take_profit", "stop_loss", "trailing"]
        assert (legs["take_profit"].limit_offset_percent, legs["stop_loss"].stop_offset_percent) == (target, stop)
        assert all(leg.is_reduce_only and leg.quantity == 7 for leg in legs.values())
    assert exit_terms(Side.BUY, Decimal(7), ExitPrices()) == {}


@pytest.mark.parametrize(
    ("side", "exits", "where"),
    [
        (Side.BUY, {"take_profit": Decimal(100)}, "take_profit"),
        (Side.BUY, {"stop_loss": Decimal(101)}, "stop_loss"),
        (Side.SELL, {"take_profit": Decimal(101)}, "take_profit"),
        (Side.SELL, {"stop_loss": Decimal(99)}, "stop_loss"),
        (Side.BUY, {"stop_loss_percent": Decimal(0)}, "stop_loss_percent"),
        (Side.BUY, {"stop_loss_percent": Decimal("NaN")}, "stop_loss_percent"),
        (Side.BUY, {"trail_amount": Decimal(1), "trail_percent": Decimal(1)}, "trail_percent"),
    ],
)
def test_an_exit_on_the_wrong_side_or_given_twice_is_refused(side: Side, exits: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_exits(side, ExitPrices(**exits), entry_price=Decimal(100))
    assert (caught.value.where, bool(caught.value.hint)) == (where, True)


def test_an_account_without_settings_is_the_default_profile_without_limits_of_volume() -> None:
    profile = VenueTerms().engine_profile
    assert (profile.name, profile.volume_share, profile.fees.taker_bps, profile.fees.maker_bps) == ("default", 0, 5, 5)
    assert (profile.slippage.model, profile.slippage.spread_bps, profile.slippage.slippage_bps) == (SlippageModel.PPM, 2, 1)
    assert not VenueTerms().can_liquidate


def test_the_profile_gives_the_rules_and_the_fields_the_costs() -> None:
    terms = VenueTerms(
        profile=VenueProfile.FREQTRADE, maker_fee_bps=Decimal(1), volume_percent=Decimal("2.5"), slippage_model=SlippageChoice.SQUARE_ROOT,
        latency_ms=250, fee_tiers=tiers_of([[100, 1, 2]]),
    )  # fmt: skip
    terms.check()
    profile = terms.engine_profile
    assert (profile.limit_rule.name, profile.stop_gap.name) == ("TOUCH", "OUTSIDE_BAR")
    assert (profile.fees.maker_bps, profile.fees.taker_bps, profile.fees.tiers[0].taker_bps) == (1, 5, 2)
    assert (profile.volume_share, profile.latency_us, profile.slippage.model) == (Decimal("0.025"), 250_000, SlippageModel.SQUARE_ROOT)
    assert terms.stored["fee_tiers"] == [["100", "1", "2"]]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"fee_bps": Decimal("0.001")}, "fee_bps"),
        ({"impact_bps": Decimal("NaN")}, "impact_bps"),
        ({"spread_bps": Decimal("5000.01")}, "spread_bps"),
        ({"spread_bps": Decimal("-0.01")}, "spread_bps"),
        ({"slippage_bps": Decimal("Infinity")}, "slippage_bps"),
        ({"volume_percent": Decimal(101)}, "volume_percent"),
        ({"leverage": Decimal("0.99")}, "leverage"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"fee_flat": Decimal(-1)}, "fee_flat"),
        ({"fee_tiers": ((Decimal(1), Decimal(1), Decimal(1)),) * 4}, "fee_tiers"),
    ],
)
def test_terms_off_the_grid_are_refused_by_name(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        VenueTerms(**changes).check()
    assert caught.value.where == where


def test_every_refusal_and_every_end_has_a_sentence() -> None:
    without = {reason for reason in Reason if not reason.is_fill and reason is not Reason.NONE} - SENTENCES.keys()
    assert without == set()
    assert sentence(Reason.LIMIT_CROSSED) == "Limit crossed."
