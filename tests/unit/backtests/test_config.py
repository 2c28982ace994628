"""A configuration means the same in Python and in JSON, and refuses what it cannot mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.backtests.domain.checks import check_config
from apps.backtests.domain.config import Costs, Profile, RunConfig, ScoreMode, Sizing, SizingMethod, WalkForward, config_from_json
from apps.backtests.domain.costing import engine_profile
from apps.core.errors import InvalidInput
from apps.core.vocabulary import Timeframe
from apps.orders.domain.engine_codes import SlippageModel
from apps.orders.domain.profiles import DEFAULT

GIVEN = RunConfig(
    strategy="momentum",
    timeframe=Timeframe.D1,
    parameters={"fast_bars": 20, "exit_band": 0.5, "is_on": True},
    instrument_ids=(uuid4(),),
    start=datetime(2020, 1, 1, tzinfo=UTC),
    sizing=Sizing(method=SizingMethod.FRACTION, amount=Decimal("0.5")),
    walk_forward=WalkForward(search={"fast_bars": [10, 20]}),
)

values = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8))
configs = st.builds(
    RunConfig,
    strategy=st.text(min_size=1, max_size=12),
    timeframe=st.sampled_from(Timeframe),
    parameters=st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=4),
    instrument_ids=st.lists(st.uuids(), max_size=3).map(tuple),
    start=st.none() | st.datetimes(timezones=st.just(UTC)),
    capital=st.decimals(min_value=0, max_value=10**12, allow_nan=False, places=6),
    profile=st.sampled_from(Profile),
    costs=st.builds(Costs, fee_taker_ppm=st.none() | st.integers(0, 10**6), fee_flat=st.none() | st.decimals(0, 100, places=4)),
    seed=st.integers(0, 2**63 - 1),
)


@given(configs)
def test_json_gives_back_the_same_configuration(config: RunConfig) -> None:
    again = config_from_json(json.loads(json.dumps(config.to_json())))
    assert again == config and again.fingerprint() == config.fingerprint()


def test_the_fingerprint_knows_what_was_tried_and_not_how_it_is_scored() -> None:
    plain = msgspec.structs.replace(GIVEN, score=ScoreMode.PLAIN, walk_forward=WalkForward())
    assert plain.fingerprint() == GIVEN.fingerprint()
    assert GIVEN.with_parameters({"fast_bars": 21}).fingerprint() != GIVEN.fingerprint()
    assert msgspec.structs.replace(GIVEN, costs=Costs(fee_taker_ppm=1)).fingerprint() != GIVEN.fingerprint()


def test_equal_decimals_are_written_alike() -> None:
    for text in ("50000.500", "50000.5", "5.00005E+4"):
        assert msgspec.structs.replace(GIVEN, capital=Decimal(text)).to_json()["capital"] == "50000.5"
    assert msgspec.structs.replace(GIVEN, capital=Decimal("1E+5")).to_json()["capital"] == "100000"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"strategy": 1}, "strategy"),
        ({"timeframe": "2d"}, "timeframe"),
        ({"colour": "red"}, "config"),
        ({"costs": {"colour": 1}}, "costs"),
        ({"version": 2}, "version"),
        ({"start": "2020-01-01T00:00:00"}, "start"),
        ({"capital": "much"}, "capital"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        config_from_json(GIVEN.to_json() | change)
    assert caught.value.where == where


def test_a_good_configuration_passes_and_each_bad_value_is_named() -> None:
    check_config(GIVEN)
    bad: list[tuple[dict[str, Any], str]] = [
        ({"capital": Decimal("Infinity")}, "capital"),
        ({"leverage": Decimal(1000)}, "leverage"),
        ({"seed": 2**63}, "seed"),
        ({"instrument_ids": (GIVEN.instrument_ids[0],) * 2}, "instrument_ids"),
        ({"trade_from": datetime(2021, 1, 1, tzinfo=UTC), "end": datetime(2020, 6, 1, tzinfo=UTC)}, "trade_from"),
        ({"sizing": Sizing(method=SizingMethod.ALL, amount=Decimal(1))}, "sizing.amount"),
        ({"sizing": Sizing(method=SizingMethod.FRACTION, amount=Decimal(2))}, "sizing.amount"),
        ({"costs": Costs(fee_flat=Decimal(-1))}, "costs.fee_flat"),
        ({"walk_forward": WalkForward(objective="luck")}, "walk_forward.objective"),
        ({"walk_forward": WalkForward(train_bars=0)}, "walk_forward.train_bars"),
    ]
    for change, where in bad:
        with pytest.raises(InvalidInput) as caught:
            check_config(msgspec.structs.replace(GIVEN, **change))
        assert caught.value.where == where


def test_costs_replace_those_of_the_profile_and_nothing_else() -> None:
    own = engine_profile(msgspec.structs.replace(GIVEN, costs=Costs(fee_taker_ppm=1000, half_spread_ppm=0)))
    assert own.fees.taker_bps == 10 and own.fees.maker_bps == DEFAULT.fees.maker_bps
    assert own.slippage.spread_bps == 0 and own.slippage.slippage_bps == DEFAULT.slippage.slippage_bps
    assert own.volume_share == DEFAULT.volume_share
    ideal = msgspec.structs.replace(GIVEN, profile=Profile.IDEAL)
    assert engine_profile(ideal).slippage.model is SlippageModel.NONE
    assert engine_profile(msgspec.structs.replace(ideal, costs=Costs(slippage_ppm=50))).slippage.model is SlippageModel.PPM
    assert engine_profile(msgspec.structs.replace(ideal, costs=Costs(impact_ppm=50))).slippage.model is SlippageModel.SQUARE_ROOT
