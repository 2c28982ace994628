"""Sealing: gap-free, each event once, whatever writers, crashes and other sealers do."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest
from django.db import connection, transaction

from apps.events.adapters.anchor import RECORD_BYTES, AnchorDamaged, AnchorWriter
from apps.events.models import LoggedEvent, LogIdentity
from apps.events.selectors import verify_log
from apps.events.selectors.verification import SEAL_BATCH, anchor_of
from apps.events.services import anchor_sealed, log_identity, record_event, record_events, seal_batch
from tests.integration.events.conftest import sealed_log, some_events


def positions() -> list[int | None]:
    return list(LoggedEvent.objects.order_by("position").values_list("position", flat=True))


@pytest.mark.django_db
def test_a_batch_is_placed_in_the_order_of_ids_and_anchored() -> None:
    ids = record_events(some_events(10))
    assert seal_batch(limit=4) == 4
    assert anchor_sealed() == 4
    assert (seal_batch(), anchor_sealed()) == (6, 6)
    assert seal_batch() == 0
    assert list(LoggedEvent.objects.order_by("position").values_list("id", flat=True)) == ids
    assert positions() == list(range(1, 11))
    assert anchor_of(log_identity()).path.stat().st_size == 10 * RECORD_BYTES
    found = verify_log()
    assert (found.is_intact, found.count, found.unsealed, found.unanchored) == (True, 10, 0, 0)


@pytest.mark.django_db
def test_the_identity_is_made_once_with_its_anchor(data_dir: Path) -> None:
    first = log_identity()
    assert log_identity() == first
    assert LogIdentity.objects.count() == 1
    assert (data_dir / "anchor" / f"{first}.anchor").read_bytes() == b""


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_are_sealed_without_gaps_each_once() -> None:
    seed = time.time_ns() % 100_000
    print(f"seed {seed}")
    writers, each = 4, 60
    failures: list[BaseException] = []

    def write(number: int) -> None:
        chooser = random.Random(seed + number)
        try:
            for index in range(each):
                with transaction.atomic():
                    record_event(some_events(1, first=number * each + index)[0].event, occurred_at=some_events(1)[0].occurred_at)
                    time.sleep(chooser.random() * 0.004)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    log_identity()
    stop = threading.Event()

    def seal() -> None:
        try:
            while not stop.is_set():
                seal_batch(limit=7)
                anchor_sealed()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    sealers = [threading.Thread(target=seal) for _ in range(2)]
    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in [*sealers, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    for thread in sealers:
        thread.join()
    while seal_batch():
        pass
    anchor_sealed()
    assert failures == []
    assert positions() == list(range(1, writers * each + 1))
    assert verify_log().is_intact


@pytest.mark.django_db
def test_an_anchor_that_missed_a_batch_catches_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed_log(5)
    record_events(some_events(3))
    seal_batch()

    def die(self: AnchorWriter, records: object) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(AnchorWriter, "append", die)
        with pytest.raises(OSError, match="power cut"):
            anchor_sealed()
    between = verify_log()
    assert (between.is_intact, between.unanchored) == (True, 3)
    assert anchor_sealed() == 3
    assert verify_log().unanchored == 0


@pytest.mark.django_db
@pytest.mark.parametrize("torn_bytes", [1, 8, 39])
def test_a_torn_record_is_cut_off_and_written_again(torn_bytes: int) -> None:
    sealed_log(5)
    path = anchor_of(log_identity()).path
    whole = path.read_bytes()
    path.write_bytes(whole[: 4 * RECORD_BYTES + torn_bytes])
    assert verify_log().is_intact
    assert anchor_sealed() == 1
    assert path.read_bytes() == whole


@pytest.mark.django_db
def test_the_sealer_does_not_cover_up_a_changed_hash_a_missing_or_a_short_anchor() -> None:
    sealed_log(5)
    path = anchor_of(log_identity()).path
    whole = path.read_bytes()
    path.write_bytes(whole[:-32] + bytes(32))
    with pytest.raises(AnchorDamaged, match="position 5 does not carry"):
        anchor_sealed()
    path.unlink()
    with pytest.raises(AnchorDamaged, match="missing while the log has 5"):
        anchor_sealed()
    path.write_bytes(whole + whole[-40:])
    with pytest.raises(AnchorDamaged, match="names position 5, but it is record 6"):
        anchor_sealed()


@pytest.mark.django_db
def test_an_anchor_further_behind_than_a_crash_can_leave_is_not_filled() -> None:
    record_events(some_events(SEAL_BATCH + 1))
    assert [seal_batch(), seal_batch()] == [SEAL_BATCH, 1]
    with pytest.raises(AnchorDamaged, match=f"The anchor ends at 0, the log at {SEAL_BATCH + 1}"):
        anchor_sealed()
    assert [finding.code for finding in verify_log().findings] == ["anchor_behind"]
