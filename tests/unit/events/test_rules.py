"""Small rules: back-off, fold, handler registry, anchor packing, COPY lines, horizons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.core.events import Envelope, Priority
from apps.events.adapters.anchor import RECORD_BYTES, pack_record
from apps.events.adapters.copying import LineSink
from apps.events.channels import channel, horizon_text
from apps.events.contracts import AlertRaised, ProcessStarted
from apps.events.domain.activity import ActivityRows, fold
from apps.events.domain.backoff import MAX_ATTEMPTS, next_delay
from apps.events.ports import REGISTRY, HandlerRegistry, handles


def ignore(envelope: Envelope) -> None:
    """A handler that does nothing."""


def test_waits_grow_fourfold_and_end_with_the_fifth_attempt() -> None:
    assert [next_delay(attempts) for attempts in range(1, MAX_ATTEMPTS + 1)] == [
        timedelta(seconds=1),
        timedelta(seconds=4),
        timedelta(seconds=16),
        timedelta(seconds=64),
        None,
    ]


@given(st.permutations([1, 2, 3, 4]))
def test_the_fold_does_not_depend_on_the_order(order: list[int]) -> None:
    rows: ActivityRows = {}
    for position in order:
        fold(rows, "a.b", datetime(2026, 1, 1 + position // 3, tzinfo=UTC), position)
    assert rows == {("a.b", "2026-01-01"): (2, 2), ("a.b", "2026-01-02"): (2, 4)}


def test_the_fold_uses_days_in_utc() -> None:
    rows: ActivityRows = {}
    fold(rows, "a.b", datetime(2026, 1, 1, 23, tzinfo=timezone(timedelta(hours=-5))), 1)
    assert list(rows) == [("a.b", "2026-01-02")]


def test_a_handler_is_registered_with_its_types_and_lanes() -> None:
    registry = HandlerRegistry()
    assert handles(AlertRaised, ProcessStarted, name="h", group="slow", registry=registry)(ignore) is ignore
    (handler,) = registry.all()
    assert (handler.name, handler.group, handler.function) == ("h", "slow", ignore)
    assert handler.takes("system.alert_raised")
    assert not handler.takes("system.process_stale")
    assert handler.lanes == {Priority.HIGH, Priority.LOW}
    assert (registry.groups(), registry.of_group("slow"), registry.of_group("x")) == (["slow"], [handler], [])


def test_a_second_handler_of_a_name_a_bad_name_and_no_classes_are_refused() -> None:
    registry = HandlerRegistry()
    handles(AlertRaised, name="h", registry=registry)(ignore)
    with pytest.raises(InvalidInput, match="Two handlers are named 'h'"):
        handles(AlertRaised, name="h", registry=registry)(ignore)
    for name in ("", "a:b", "x" * 61):
        with pytest.raises(InvalidInput, match="no colon"):
            handles(AlertRaised, name=name, registry=registry)
    with pytest.raises(InvalidInput, match="takes no event class"):
        handles(name="other", registry=registry)


def test_handlers_of_installed_apps_are_found_when_django_starts() -> None:
    assert REGISTRY.get("alert_log") is not None


@given(st.integers(1, 2**62), st.binary(min_size=32, max_size=32))
def test_an_anchor_record_has_forty_bytes(position: int, digest: bytes) -> None:
    record = pack_record(position, digest)
    assert len(record) == RECORD_BYTES == 40
    assert (int.from_bytes(record[:8], "big"), record[8:]) == (position, digest)


@given(st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line)), st.integers(1, 9))
def test_lines_come_whole_however_the_chunks_fall(lines: list[bytes], size: int) -> None:
    data = b"".join(line + b"\n" for line in lines)
    taken: list[bytes] = []
    sink = LineSink(taken.append)
    for start in range(0, len(data), size):
        sink.write(data[start : start + size])
    assert taken == lines


@pytest.mark.parametrize(("bars", "timeframe", "text"), [(1, "1d", "1d"), (5, "1d", "5d"), (3, "15m", "45m"), (5, "4h", "20h")])
def test_a_horizon_is_one_duration(bars: int, timeframe: str, text: str) -> None:
    assert horizon_text(bars, timeframe) == text


def test_a_payload_must_fit_the_published_schema_exactly() -> None:
    channel("risk_updates").require_schema({"risk_factor": "1", "reasons": [], "timestamp": ""})
    with pytest.raises(InvalidInput, match=r"missing \['timestamp'\], unknown \[\]"):
        channel("risk_updates").require_schema({"risk_factor": "1", "reasons": []})
