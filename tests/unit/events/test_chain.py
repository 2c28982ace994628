"""The chain and its judge, without a database."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from apps.events.adapters.anchor import pack_record
from apps.events.domain.chain import genesis, link
from apps.events.domain.verification import FINDINGS_KEPT, ChainVerifier, LogVerification

LOG = UUID(int=7)


def chain(contents: list[bytes]) -> list[tuple[int, bytes, bytes]]:
    """Rows (position, hash, content) of a sound log."""
    digest, rows = genesis(LOG), []
    for position, content in enumerate(contents, start=1):
        digest = link(digest, position, content)
        rows.append((position, digest, content))
    return rows


def contents(count: int) -> list[bytes]:
    return [f"id-{number}\ttype-{number}\trest".encode() for number in range(1, count + 1)]


def anchor(rows: list[tuple[int, bytes, bytes]]) -> bytes:
    return b"".join(pack_record(position, digest) for position, digest, _ in rows)


def judge(rows: list[tuple[int, bytes, bytes]], anchored: bytes, *, may_be_unanchored: int = 5) -> LogVerification:
    verifier = ChainVerifier(LOG, anchored, may_be_unanchored=may_be_unanchored)
    for position, digest, content in rows:
        verifier.take(b"\t".join([digest.hex().encode(), str(position).encode(), content]))
    return verifier.verdict(unsealed=0)


def named(found: LogVerification) -> list[tuple[str, int]]:
    return [(finding.code, finding.position) for finding in found.findings]


def test_another_log_starts_from_another_hash() -> None:
    assert genesis(LOG) != genesis(UUID(int=8))
    rows = chain(contents(3))
    other = ChainVerifier(UUID(int=8), b"", may_be_unanchored=5)
    for position, digest, content in rows:
        other.take(b"\t".join([digest.hex().encode(), str(position).encode(), content]))
    assert named(other.verdict(unsealed=0)) == [("changed", 1)]


def test_position_previous_hash_and_content_all_count() -> None:
    base = link(b"\x00" * 32, 1, b"a")
    assert len({base, link(b"\x01" * 32, 1, b"a"), link(b"\x00" * 32, 2, b"a"), link(b"\x00" * 32, 1, b"b")}) == 4


@given(st.integers(0, 30), st.integers(0, 5))
def test_a_sound_log_is_intact_as_far_as_it_is_anchored(count: int, behind: int) -> None:
    rows = chain(contents(count))
    found = judge(rows, anchor(rows[: max(count - behind, 0)]))
    assert found.is_intact
    assert (found.count, found.unanchored) == (count, min(behind, count))
    assert found.head_hash == (rows[-1][1] if rows else genesis(LOG)).hex()


@given(st.data())
def test_any_one_changed_row_is_named_exactly(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 25))
    changed = data.draw(st.integers(1, count))
    anchored = data.draw(st.integers(0, count))
    rows = chain(contents(count))
    kept = anchor(rows[:anchored])
    rows[changed - 1] = (changed, rows[changed - 1][1], b"id-x\ttype-x\tother")
    assert named(judge(rows, kept, may_be_unanchored=25)) == [("changed", changed)]


@given(st.data())
def test_any_anchored_row_from_which_the_chain_was_recomputed_is_named(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 25))
    changed = data.draw(st.integers(1, count))
    genuine = contents(count)
    kept = anchor(chain(genuine))
    genuine[changed - 1] = b"id-x\ttype-x\tother"
    assert named(judge(chain(genuine), kept)) == [("recomputed", changed)]


@given(st.data())
def test_any_deleted_tail_is_named(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 25))
    left = data.draw(st.integers(0, count - 1))
    rows = chain(contents(count))
    assert named(judge(rows[:left], anchor(rows))) == [("deleted_tail", left + 1)]


@given(st.data())
def test_any_rows_missing_before_the_tail_are_named(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 25))
    first = data.draw(st.integers(1, count - 1))
    last = data.draw(st.integers(first, count - 1))
    anchored = data.draw(st.integers(0, count))
    rows = chain(contents(count))
    found = judge([row for row in rows if not first <= row[0] <= last], anchor(rows[:anchored]), may_be_unanchored=25)
    assert named(found) == [("missing", first)]


@given(st.data())
def test_any_damage_to_the_anchor_is_named_as_that(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 20))
    damaged = data.draw(st.integers(1, count - 1))
    offset = data.draw(st.integers(0, 39))
    rows = chain(contents(count))
    kept = bytearray(anchor(rows))
    kept[(damaged - 1) * 40 + offset] ^= data.draw(st.integers(1, 255))
    assert named(judge(rows, bytes(kept))) == [("damaged_anchor", damaged)]


def test_two_rows_exchanged_are_both_named() -> None:
    rows = chain(contents(10))
    kept = anchor(rows)
    rows[3], rows[4] = (4, rows[3][1], rows[4][2]), (5, rows[4][1], rows[3][2])
    assert named(judge(rows, kept)) == [("changed", 4), ("changed", 5)]


def test_a_section_recomputed_in_the_middle_is_named() -> None:
    genuine = contents(10)
    rows = chain(genuine)
    kept = anchor(rows)
    genuine[3] = b"id-x\ttype-x\tother"
    forged = chain(genuine)
    assert named(judge([*rows[:3], *forged[3:7], *rows[7:]], kept)) == [("recomputed", 4)]


def test_an_unanchored_row_and_its_rehash_show_where_the_chain_breaks() -> None:
    rows = chain(contents(10))
    kept = anchor(rows[:4])
    rows[6] = (7, link(rows[5][1], 7, b"id-x\ttype-x\tother"), b"id-x\ttype-x\tother")
    assert named(judge(rows, kept, may_be_unanchored=10)) == [("changed", 8)]


def test_findings_are_counted_beyond_those_kept() -> None:
    rows = [(position, digest, b"id-x\ttype-x\tother") for position, digest, _ in chain(contents(FINDINGS_KEPT + 10))]
    found = judge(rows, anchor(chain(contents(FINDINGS_KEPT + 10))))
    assert (len(found.findings), found.findings_total) == (FINDINGS_KEPT, FINDINGS_KEPT + 10)


def test_an_anchor_far_behind_is_named() -> None:
    rows = chain(contents(10))
    assert named(judge(rows, anchor(rows[:4]))) == [("anchor_behind", 5)]
