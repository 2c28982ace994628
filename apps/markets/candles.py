"""The candle repository: bulk writes and reads of numpy arrays over one table, whichever backend it has.

Writing compares with what is stored, as arrays: an equal bar is left alone, a changed one becomes a new revision with a later `known_at`,
a new one is appended, all by binary COPY. Writers of one venue take turns (Lock.CANDLES). Reads return the newest revision of each bar,
or the newest that was known at a given time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from apps.common.copy import Layout, Wire, copy_in, copy_out, uuid_array
from apps.common.locks import Lock, lock_in_transaction
from apps.common.partitions import ensure_yearly_partitions
from apps.core.errors import InvalidInput
from apps.core.vocabulary import Timeframe
from apps.markets.candle_schema import TABLE, CandleBackend, current_backend
from apps.markets.contracts import CandleSource
from apps.markets.domain.bars import CandleBatch, Int64Array, from_micros, to_micros

_VALUES = ("closed_at", "open", "high", "low", "close", "volume", "flags")
_BAR = (
    ("opened_at", Wire.TIMESTAMPTZ), ("closed_at", Wire.TIMESTAMPTZ), ("open", Wire.BIGINT), ("high", Wire.BIGINT),
    ("low", Wire.BIGINT), ("close", Wire.BIGINT), ("volume", Wire.BIGINT), ("flags", Wire.SMALLINT),
)  # fmt: skip
_KNOWN = ("known_at", Wire.TIMESTAMPTZ)
_POSITION = ("position", Wire.INTEGER)
_ROW = Layout((("instrument_id", Wire.UUID), ("timeframe", Wire.SMALLINT), ("source", Wire.SMALLINT), _KNOWN, *_BAR))
_REVISIONS = Layout((*_BAR, _KNOWN))
_PLACED = Layout((_POSITION, *_BAR, _KNOWN))
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class WriteResult:
    """How many bars were new, corrected (a new revision), and already stored as they are."""

    inserted: int
    revised: int
    unchanged: int

    @property
    def written(self) -> int:
        return self.inserted + self.revised


def timeframe_code(timeframe: Timeframe) -> int:
    """How a timeframe is stored: its length in minutes."""
    return int(timeframe.duration.total_seconds()) // 60


class CandleRepository:
    """Candles of any instrument and timeframe in one table."""

    def __init__(self, *, backend: CandleBackend, table: str = TABLE) -> None:
        self._backend = backend
        self._table = table

    def write(
        self,
        items: Sequence[tuple[UUID, CandleBatch]],
        *,
        scope: UUID,
        timeframe: Timeframe,
        source: CandleSource,
        known_at: datetime | None = None,
        revised_at: datetime | None = None,
    ) -> WriteResult:
        """Store bars of some instruments of the venue `scope`; nothing changes when they are stored already.

        `known_at` is when we learned of them; None says: as each bar closed. Corrections are dated `revised_at` (None: as `known_at`),
        and in any case later than what they correct.
        """
        items = [(instrument_id, batch) for instrument_id, batch in items if len(batch)]
        if not items:
            return WriteResult(0, 0, 0)
        ids, batch, position = _stack(items)
        with transaction.atomic(savepoint=False):
            lock_in_transaction(Lock.CANDLES, scope)
            if self._backend is CandleBackend.NATIVE:
                ensure_yearly_partitions(self._table, _years(batch.opened_at))
            stored_known, is_changed = self._compare(ids, batch, position, timeframe)
            is_new = stored_known == _NEVER
            chosen = is_new | is_changed
            if chosen.any():
                known = _times(known_at, batch)
                revised = np.maximum(_times(revised_at or known_at, batch), stored_known + 1)
                known = np.where(is_changed, revised, known)
                codes = uuid_array(ids)[position[chosen] - 1]
                self._append(batch.take(chosen), codes=codes, known_at=known[chosen], timeframe=timeframe, source=source)
        inserted, changed = int(is_new.sum()), int(is_changed.sum())
        return WriteResult(inserted, changed, len(batch) - inserted - changed)

    def window(
        self, instrument_id: UUID, timeframe: Timeframe, *, until: datetime | None, count: int, as_of: datetime | None = None
    ) -> CandleBatch:
        """The newest `count` bars that closed at or before `until`, oldest first."""
        if until is not None:
            recent = self._window(instrument_id, timeframe, until=until, count=count, as_of=as_of, since=until - _reach(timeframe, count))
            if len(recent) == count:
                return recent
        return self._window(instrument_id, timeframe, until=until, count=count, as_of=as_of, since=None)

    def _window(
        self,
        instrument_id: UUID,
        timeframe: Timeframe,
        *,
        until: datetime | None,
        count: int,
        as_of: datetime | None,
        since: datetime | None,
    ) -> CandleBatch:
        where, parameters = _conditions(instrument_id, timeframe, since=since, until=until, as_of=as_of)
        query = (
            f"SELECT DISTINCT ON (opened_at) {', '.join(_REVISIONS.names)} FROM {self._table} WHERE {where}"
            " ORDER BY opened_at DESC, known_at DESC LIMIT %s"
        )
        return _newest(copy_out(query, [*parameters, count], _REVISIONS))

    def between(
        self,
        instrument_id: UUID,
        timeframe: Timeframe,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
    ) -> CandleBatch:
        """All bars that opened at or after `since` and closed at or before `until`, oldest first."""
        where, parameters = _conditions(instrument_id, timeframe, since=since, until=until, as_of=as_of)
        return _newest(copy_out(f"SELECT {', '.join(_REVISIONS.names)} FROM {self._table} WHERE {where}", parameters, _REVISIONS))

    def closed_exactly(self, ids: Sequence[UUID], timeframe: Timeframe, closed_at: datetime) -> dict[UUID, CandleBatch]:
        """One bar of each instrument that has one closing at `closed_at`."""
        query = (
            f"SELECT {_placed(ids)}, {', '.join(_REVISIONS.names)} FROM {self._table}"
            " WHERE instrument_id = ANY(%s::uuid[]) AND timeframe = %s AND opened_at >= %s AND opened_at < %s AND closed_at = %s"
        )
        texts = [str(item) for item in ids]
        parameters = [texts, texts, timeframe_code(timeframe), closed_at - max(_DAY, timeframe.duration), closed_at, closed_at]
        rows = copy_out(query, parameters, _PLACED)
        return {
            ids[place - 1]: _newest({name: values[rows["position"] == place] for name, values in rows.items()})
            for place in np.unique(rows["position"]).tolist()
        }

    def closes_between(self, ids: Sequence[UUID], timeframe: Timeframe, *, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """Distinct closing times > `after` and <= `until`, ascending, at most `limit`."""
        query = (
            f"SELECT DISTINCT closed_at FROM {self._table} WHERE instrument_id = ANY(%s::uuid[]) AND timeframe = %s"
            " AND opened_at > %s AND opened_at < %s AND closed_at > %s AND closed_at <= %s ORDER BY closed_at LIMIT %s"
        )
        reach = max(_DAY, timeframe.duration)
        texts = [str(item) for item in ids]
        rows = copy_out(
            query,
            [texts, timeframe_code(timeframe), after - reach, until, after, until, limit],
            Layout((("closed_at", Wire.TIMESTAMPTZ),)),
        )
        return [from_micros(micros) for micros in rows["closed_at"].tolist()]

    def has_any(self, instrument_id: UUID) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {self._table} WHERE instrument_id = %s)", [str(instrument_id)])
            (found,) = cursor.fetchone()
        return bool(found)

    def revisions(self, instrument_id: UUID, timeframe: Timeframe) -> int:
        """How many stored rows correct an earlier one."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) - count(DISTINCT opened_at) FROM {self._table} WHERE instrument_id = %s AND timeframe = %s",
                [str(instrument_id), timeframe_code(timeframe)],
            )
            (count,) = cursor.fetchone()
        return int(count)

    def _compare(
        self, ids: list[UUID], batch: CandleBatch, position: Int64Array, timeframe: Timeframe
    ) -> tuple[Int64Array, npt.NDArray[np.bool_]]:
        """For each bar the newest stored `known_at` (_NEVER if there is none) and whether the stored values differ."""
        first, last = int(batch.opened_at.min()), int(batch.opened_at.max())
        query = (
            f"SELECT {_placed(ids)}, {', '.join(_REVISIONS.names)} FROM {self._table}"
            " WHERE instrument_id = ANY(%s::uuid[]) AND timeframe = %s AND opened_at >= %s AND opened_at <= %s"
        )
        texts = [str(item) for item in ids]
        stored = copy_out(query, [texts, texts, timeframe_code(timeframe), from_micros(first), from_micros(last)], _PLACED)
        known = np.full(len(batch), _NEVER)
        changed = np.zeros(len(batch), np.bool_)
        if not len(stored["position"]):
            return known, changed
        span = last - first + 1
        stored_key = stored["position"] * span + (stored["opened_at"] - first)
        stored, stored_key = _newest_rows(stored, stored_key)
        key = position * span + (batch.opened_at - first)
        place = np.minimum(np.searchsorted(stored_key, key), len(stored_key) - 1)
        found = stored_key[place] == key
        known[found] = stored["known_at"][place[found]]
        for name in _VALUES:
            changed[found] |= getattr(batch, name)[found] != stored[name][place[found]]
        return known, changed

    def _append(
        self, batch: CandleBatch, *, codes: npt.NDArray[np.void], known_at: Int64Array, timeframe: Timeframe, source: CandleSource
    ) -> None:
        arrays: dict[str, npt.NDArray[Any]] = {name: getattr(batch, name) for name, _ in _BAR}
        arrays["instrument_id"] = codes
        arrays["known_at"] = known_at
        arrays["timeframe"] = np.array(timeframe_code(timeframe))
        arrays["source"] = np.array(int(source))
        copy_in(self._table, _ROW, arrays)


@lru_cache(maxsize=1)
def candles() -> CandleRepository:
    """The repository of this database (its backend is looked up once per process)."""
    return CandleRepository(backend=current_backend())


_NEVER = np.iinfo(np.int64).min
"""Stands for "not stored" among `known_at` values."""


def _stack(items: Sequence[tuple[UUID, CandleBatch]]) -> tuple[list[UUID], CandleBatch, Int64Array]:
    """All batches as one, with the place (from 1) of each bar's instrument."""
    for instrument_id, batch in items:
        if (np.diff(batch.opened_at) <= 0).any():
            raise InvalidInput("Bars to store must be strictly ascending in time.", where=str(instrument_id))
    ids = [instrument_id for instrument_id, _ in items]
    position = np.repeat(np.arange(1, len(ids) + 1), [len(batch) for _, batch in items])
    return ids, items[0][1] if len(items) == 1 else CandleBatch.join([batch for _, batch in items]), position


def _times(at: datetime | None, batch: CandleBatch) -> Int64Array:
    return batch.closed_at if at is None else np.full(len(batch), to_micros(at))


def _years(opened_at: Int64Array) -> list[int]:
    years = opened_at.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
    return [int(year) for year in np.unique(years)]


def _placed(ids: Sequence[UUID]) -> str:
    """SQL for the place of a row's instrument in the list of ids, which is the first parameter."""
    return "1 + 0 * cardinality(%s::uuid[]) AS position" if len(ids) == 1 else "array_position(%s::uuid[], instrument_id) AS position"


def _reach(timeframe: Timeframe, count: int) -> timedelta:
    """A span that surely held `count` bars if the market had no long break: twice their length and a fortnight."""
    return timeframe.duration * count * 2 + 14 * _DAY


def _conditions(
    instrument_id: UUID, timeframe: Timeframe, *, since: datetime | None, until: datetime | None, as_of: datetime | None
) -> tuple[str, list[Any]]:
    where = ["instrument_id = %s::uuid", "timeframe = %s"]
    parameters: list[Any] = [str(instrument_id), timeframe_code(timeframe)]
    if since is not None:
        where.append("opened_at >= %s")
        parameters.append(since)
    if until is not None:
        where.append("opened_at < %s AND closed_at <= %s")
        parameters += [until, until]
    if as_of is not None:
        where.append("known_at <= %s")
        parameters.append(as_of)
    return " AND ".join(where), parameters


def _newest_rows(rows: dict[str, npt.NDArray[Any]], key: Int64Array) -> tuple[dict[str, npt.NDArray[Any]], Int64Array]:
    """The rows in order of `key`, the newest revision of each alone."""
    if (np.diff(key) > 0).all():
        return rows, key
    order = np.lexsort((rows["known_at"], key))
    key = key[order]
    is_last = np.append(key[1:] != key[:-1], True)
    order = order[is_last]
    return {name: values[order] for name, values in rows.items()}, key[is_last]


def _newest(rows: dict[str, npt.NDArray[Any]]) -> CandleBatch:
    rows, _ = _newest_rows(rows, rows["opened_at"])
    return CandleBatch(**{name: rows[name] for name, _ in _BAR})
