"""Events in words."""

from __future__ import annotations

from apps.dashboard.domain import sentences


def test_a_known_event_reads_as_a_sentence() -> None:
    payload = {"symbol": "SP500", "sentence": "Keep 5 SP500.", "decision_id": "d1", "order_id": None}
    assert sentences.sentence("trading.decision_made", payload) == "Keep 5 SP500."
    assert sentences.path(payload) == "/decisions/d1/"


def test_statistics_are_rounded_to_what_can_be_read() -> None:
    payload = {"symbol": "SP500", "horizon_bars": 5, "expected_return": -0.0024593, "probability_up": 0.4789, "confidence": 0.52086}
    assert sentences.sentence("forecast.updated", payload) == "SP500 over 5 bars: -0.25%, up with 48%, confidence 52%"


def test_an_unknown_event_lists_its_fields_without_ids() -> None:
    assert sentences.sentence("other.thing", {"account_id": "x", "name": "Paper", "note": ""}) == "name Paper"


def test_a_payload_that_lacks_a_field_is_listed_instead() -> None:
    assert sentences.sentence("trading.position_closed", {"symbol": "SP500"}) == "symbol SP500"


def test_long_texts_are_cut() -> None:
    text = sentences.sentence("other.thing", {"text": "x" * 1000})
    assert len(text) == 240
    assert text.endswith("…")


def test_an_order_comes_before_nothing() -> None:
    assert sentences.path({"order_id": "o1"}) == "/orders/o1/"
    assert sentences.path({"name": "x"}) == ""
