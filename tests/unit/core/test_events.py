"""Typed events: what goes out comes back, and nothing else is let in."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import events
from apps.core.errors import InvalidInput
from apps.core.events import Event, Priority, decode_payload, encode_payload, event, event_class, from_payload, to_payload, upcaster


@event("test.thing_happened", version=2, priority=Priority.HIGH)
class ThingHappened(Event):
    thing_id: UUID
    amount: Decimal
    ratio: float
    at: datetime
    name: str
    tags: list[str]
    note: str | None = None


things = st.builds(
    ThingHappened,
    thing_id=st.uuids(),
    amount=st.decimals(allow_nan=False, allow_infinity=False),
    ratio=st.floats(allow_nan=False, allow_infinity=False),
    at=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),
    name=st.text(),
    tags=st.lists(st.text(max_size=5), max_size=3),
    note=st.none() | st.text(),
)
THING = ThingHappened(
    thing_id=UUID(int=1), amount=Decimal("1.50"), ratio=0.5, at=datetime(2026, 1, 1, tzinfo=UTC), name="a", tags=[], note=None
)


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declarations of a test do not outlive it."""
    monkeypatch.setattr(events, "_registry", dict(events._registry))
    monkeypatch.setattr(events, "_upcasters", dict(events._upcasters))
    monkeypatch.setattr(events, "_decoders", {})


@given(things)
def test_an_event_survives_both_ways_of_coding_exactly(thing: ThingHappened) -> None:
    assert from_payload("test.thing_happened", 2, to_payload(thing)) == thing
    decoded = decode_payload("test.thing_happened", 2, encode_payload(thing))
    assert decoded == thing
    assert str(decoded.amount) == str(thing.amount)  # type: ignore[attr-defined]


@given(things)
def test_both_ways_write_the_same_payload(thing: ThingHappened) -> None:
    assert msgspec.json.decode(encode_payload(thing)) == to_payload(thing)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "unknown field `extra`"),
        ({"name": None}, "Expected `str`"),
        ({"ratio": "0.5"}, "Expected `float`"),
        ({"thing_id": "x"}, "Invalid UUID"),
    ],
)
def test_what_does_not_fit_the_schema_is_refused(change: dict[str, Any], message: str) -> None:
    payload = {**to_payload(THING), **change}
    with pytest.raises(InvalidInput, match=message):
        from_payload("test.thing_happened", 2, payload)
    with pytest.raises(InvalidInput, match=message):
        decode_payload("test.thing_happened", 2, msgspec.json.encode(payload))


def test_a_missing_field_is_refused() -> None:
    payload = to_payload(THING)
    del payload["amount"]
    with pytest.raises(InvalidInput, match="missing required field `amount`"):
        from_payload("test.thing_happened", 2, payload)


@pytest.mark.parametrize("ratio", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_json_would_lose_is_refused(ratio: float) -> None:
    with pytest.raises(InvalidInput, match=r"test.thing_happened.ratio must be a finite number"):
        encode_payload(msgspec.structs.replace(THING, ratio=ratio))


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        THING.name = "b"  # type: ignore[misc]


def test_unknown_types_and_versions_are_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"No event 'test.nothing' version 1 is registered\. .*INSTALLED_APPS"):
        event_class("test.nothing", 1)
    with pytest.raises(InvalidInput, match=r"version 1 is registered, only version \[2\]\. .*Declare an upcaster"):
        from_payload("test.thing_happened", 1, {})
    with pytest.raises(InvalidInput, match=r"version 3 is registered"):
        decode_payload("test.thing_happened", 3, b"{}")


def test_an_older_version_is_upcast_step_by_step() -> None:
    @upcaster("test.thing_happened", from_version=0)
    def name_it(payload: dict[str, Any]) -> dict[str, Any]:
        return {**payload, "name": "unnamed"}

    @upcaster("test.thing_happened", from_version=1)
    def tag_it(payload: dict[str, Any]) -> dict[str, Any]:
        return {**payload, "tags": ["old"]}

    payload = to_payload(THING)
    del payload["name"], payload["tags"]
    expected = msgspec.structs.replace(THING, name="unnamed", tags=["old"])
    assert from_payload("test.thing_happened", 0, payload) == expected
    assert decode_payload("test.thing_happened", 0, msgspec.json.encode(payload)) == expected
    assert "name" not in payload


def test_a_type_cannot_be_declared_twice() -> None:
    with pytest.raises(InvalidInput, match=r"declared twice: ThingHappened and .*Other"):

        @event("test.thing_happened", version=2)
        class Other(Event):
            pass


def test_names_on_the_wire_are_dotted_and_priorities_known() -> None:
    for cls in events.registered_events():
        app, _, name = cls.event_type.partition(".")
        assert app.isidentifier() and name.isidentifier(), cls.event_type
        assert len(cls.event_type) <= 60
        assert isinstance(cls.priority, Priority)
