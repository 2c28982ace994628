"""Binary COPY through numpy."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from apps.common.copy import Layout, Wire, copy_in, copy_out, uuid_array, uuid_list
from apps.core.errors import InvalidInput

LAYOUT = Layout(
    (
        ("id", Wire.UUID),
        ("at", Wire.TIMESTAMPTZ),
        ("units", Wire.BIGINT),
        ("ratio", Wire.DOUBLE),
        ("count", Wire.INTEGER),
        ("flag", Wire.SMALLINT),
    )
)
INT64 = st.integers(-(2**63) + 946_684_800_000_000, 2**63 - 1)


@given(st.lists(st.tuples(st.uuids(), INT64, st.floats(allow_nan=False), st.integers(-(2**31), 2**31 - 1)), max_size=20))
def test_what_is_encoded_is_decoded(rows: list[tuple[UUID, int, float, int]]) -> None:
    arrays = {
        "id": uuid_array([row[0] for row in rows]),
        "at": np.array([row[1] for row in rows], np.int64),
        "units": np.array([row[1] for row in rows], np.int64),
        "ratio": np.array([row[2] for row in rows], np.float64),
        "count": np.array([row[3] for row in rows], np.int64),
        "flag": np.array(7),
    }
    decoded = LAYOUT.decode(LAYOUT.encode(arrays))
    assert uuid_list(decoded["id"]) == [row[0] for row in rows]
    for name in ("at", "units", "ratio", "count"):
        assert decoded[name].tolist() == arrays[name].tolist()
    assert decoded["flag"].tolist() == [7] * len(rows)


@pytest.mark.django_db
def test_rows_arrive_in_postgresql_and_come_back_as_they_were() -> None:
    ids = [UUID(int=1), UUID(int=2**128 - 1)]
    arrays = {
        "id": uuid_array(ids),
        "at": np.array([0, 1_700_000_000_123_456]),
        "units": np.array([-5, 2**62]),
        "ratio": np.array([0.1, -1e300]),
        "count": np.array([1, -1]),
        "flag": np.array([32767, -32768]),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE copied (id uuid, at timestamptz, units bigint, ratio double precision, count integer, flag smallint) ON COMMIT DROP"
        )
        copy_in("copied", LAYOUT, arrays)
        cursor.execute("SELECT id::text, at AT TIME ZONE 'UTC', units, count FROM copied ORDER BY count DESC")
        assert [(row[0], row[1].isoformat(), row[2]) for row in cursor.fetchall()] == [
            (str(ids[0]), "1970-01-01T00:00:00", -5),
            (str(ids[1]), "2023-11-14T22:13:20.123456", 2**62),
        ]
        back = copy_out("SELECT id, at, units, ratio, count, flag FROM copied WHERE count = %s", [-1], LAYOUT)
    assert uuid_list(back["id"]) == ids[1:]
    assert {name: values.tolist() for name, values in back.items() if name != "id"} == {
        "at": [1_700_000_000_123_456], "units": [2**62], "ratio": [-1e300], "count": [-1], "flag": [-32768],
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", ["SELECT NULL::bigint AS units", "SELECT n AS units FROM (VALUES (1::bigint), (NULL), (3)) AS v(n)", "SELECT 1::int AS units"]
)
def test_nulls_and_other_types_are_refused(query: str) -> None:
    with pytest.raises(InvalidInput):
        copy_out(query, [], Layout((("units", Wire.BIGINT),)))


def test_a_number_too_large_for_its_column_is_refused() -> None:
    with pytest.raises(InvalidInput, match="smallint"):
        Layout((("flag", Wire.SMALLINT),)).encode({"flag": np.array([1, 40_000])})
