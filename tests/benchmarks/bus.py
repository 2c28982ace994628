"""The bus against its limits: typed events per second through publish, consume and acknowledge, and the latency from publish to handler,
beside raw Redis Streams (one packed field) in the same run.

    REDIS_URL=... python -m tests.benchmarks.bus        (without REDIS_URL it starts a Redis of its own)
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import redis

from apps.core.events import Envelope, Event, Priority, event
from apps.core.ids import uuid7
from apps.events.bus import Bus, connect

BATCH = 200
EVENTS = 100_000
PACED = 3_000
RATE = 1_000
REPEATS = 5
THROUGHPUT_WANTED = 50_000
P50_WANTED_MS = 0.5


@event("benchmark.trade_seen", priority=Priority.HIGH)
class TradeSeen(Event):
    """As large as a typical event: ids, decimals, text."""

    trade_id: UUID
    account_id: UUID
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    sequence: int


def envelopes(count: int, first: int = 1) -> list[Envelope]:
    now = datetime.now(UTC)
    account = uuid7()
    return [
        Envelope(
            id=uuid7(),
            event=TradeSeen(
                trade_id=uuid7(),
                account_id=account,
                symbol="BTC/USDT",
                side="BUY",
                quantity=Decimal("0.25"),
                price=Decimal("61234.50"),
                sequence=number,
            ),
            subject=str(account),
            actor="benchmark",
            occurred_at=now,
            recorded_at=now,
            position=number,
        )
        for number in range(first, first + count)
    ]


def raw_throughput(client: redis.Redis, payload: bytes) -> float:
    client.delete("bench:raw")
    client.xgroup_create("bench:raw", "g", id="0", mkstream=True)
    started = time.perf_counter()
    for _ in range(EVENTS // BATCH):
        pipe = client.pipeline(transaction=False)
        for _ in range(BATCH):
            pipe.execute_command("XADD", "bench:raw", "*", b"e", payload)
        pipe.execute()
        ((_, entries),) = client.execute_command("XREADGROUP", "GROUP", "g", "c", "COUNT", BATCH, "STREAMS", "bench:raw", ">")
        client.execute_command("XACK", "bench:raw", "g", *[entry_id for entry_id, _ in entries])
    return EVENTS / (time.perf_counter() - started)


def bus_throughput(bus: Bus, prepared: list[Envelope]) -> float:
    bus.forget()
    bus.ensure_group("g")
    seen = 0
    started = time.perf_counter()
    for start in range(0, EVENTS, BATCH):
        bus.publish(prepared[start : start + BATCH])
        deliveries = bus.read("g", "c", count=BATCH)
        for delivery in deliveries:
            item = delivery.envelope().event
            assert isinstance(item, TradeSeen)
            seen += item.sequence
        bus.acknowledge("g", deliveries)
    seconds = time.perf_counter() - started
    assert seen == EVENTS * (EVENTS + 1) // 2, seen
    assert bus.pending("g") == 0
    return EVENTS / seconds


def raw_latency(url: str) -> list[float]:
    consumer, producer = connect(url), connect(url)
    consumer.delete("bench:raw")
    consumer.xgroup_create("bench:raw", "g", id="0", mkstream=True)
    latencies: list[float] = []

    def consume() -> None:
        while len(latencies) < PACED:
            answer = consumer.execute_command("XREADGROUP", "GROUP", "g", "c", "COUNT", BATCH, "BLOCK", 1000, "STREAMS", "bench:raw", ">")
            for _, entries in answer or ():
                latencies.extend(time.perf_counter() - float(fields[1]) for _, fields in entries)
                consumer.execute_command("XACK", "bench:raw", "g", *[entry_id for entry_id, _ in entries])

    _paced(consume, lambda number: producer.execute_command("XADD", "bench:raw", "*", b"e", repr(time.perf_counter())))
    return latencies


def bus_latency(url: str) -> list[float]:
    reader, writer = Bus(connect(url), prefix="bench:"), Bus(connect(url), prefix="bench:")
    reader.forget()
    reader.ensure_group("g")
    prepared = envelopes(PACED)
    sent = [0.0] * (PACED + 1)
    latencies: list[float] = []

    def consume() -> None:
        while len(latencies) < PACED:
            deliveries = reader.read("g", "c", count=BATCH, block_ms=1000)
            for delivery in deliveries:
                item = delivery.envelope().event
                assert isinstance(item, TradeSeen)
                latencies.append(time.perf_counter() - sent[item.sequence])
            reader.acknowledge("g", deliveries)

    def publish(number: int) -> None:
        sent[number] = time.perf_counter()
        writer.publish(prepared[number - 1 : number])

    _paced(consume, publish)
    return latencies


def _paced(consume: object, publish: object) -> None:
    assert callable(consume)
    assert callable(publish)
    thread = threading.Thread(target=consume)
    thread.start()
    time.sleep(0.1)
    started = time.perf_counter()
    for number in range(1, PACED + 1):
        wait = started + number / RATE - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        publish(number)
    thread.join(timeout=30)


def quantile_ms(latencies: list[float], share: float) -> float:
    return sorted(latencies)[int(len(latencies) * share)] * 1000


def main() -> int:
    url = _redis_url()
    client = connect(url)
    bus = Bus(client, prefix="bench:")
    prepared = envelopes(EVENTS)
    payload = b"x" * 220
    rows: list[tuple[float, float, float, float]] = []
    for repeat in range(1, REPEATS + 1):
        raw, ours = raw_throughput(client, payload), bus_throughput(bus, prepared)
        raw_ms, ours_ms = raw_latency(url), bus_latency(url)
        rows.append((raw, ours, quantile_ms(raw_ms, 0.5), quantile_ms(ours_ms, 0.5)))
        print(
            f"run {repeat}: raw {raw:,.0f}/s, bus {ours:,.0f}/s (ratio {ours / raw:.2f});"
            f" p50 raw {rows[-1][2]:.3f} ms, bus {rows[-1][3]:.3f} ms; p99 raw {quantile_ms(raw_ms, 0.99):.3f}, bus {quantile_ms(ours_ms, 0.99):.3f}"
        )
    client.delete("bench:raw")
    bus.forget()
    raw, ours, raw_p50, ours_p50 = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"median of {REPEATS}: raw {raw:,.0f} events/s, bus {ours:,.0f} events/s, ratio {ours / raw:.2f} (wanted: {THROUGHPUT_WANTED:,})")
    print(
        f"median p50 at {RATE}/s: raw {raw_p50:.3f} ms, bus {ours_p50:.3f} ms, ratio {ours_p50 / raw_p50:.2f} (wanted: < {P50_WANTED_MS} ms)"
    )
    is_met = ours >= THROUGHPUT_WANTED and ours_p50 < P50_WANTED_MS
    print("met" if is_met else "NOT met")
    return 0 if is_met else 1


def _redis_url() -> str:
    if os.environ.get("REDIS_URL"):
        return os.environ["REDIS_URL"]
    from trading_system.runtime.throwaway import start_throwaway_servers

    start_throwaway_servers()
    return os.environ["REDIS_URL"]


if __name__ == "__main__":
    raise SystemExit(main())
