"""Numbers that come in over the API are kept as they were written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.common.api.fields import ExactDecimalInput


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0.50", "0.5"),
        (100, "100"),
        ("1e3", "1000"),
        (0, "0"),
        ("1.2345678901", "1.2345678901"),
        ("123456789012345678", "123456789012345678"),
    ],
)
def test_a_number_gets_no_zeros_that_nobody_wrote(given: object, kept: str) -> None:
    found = ExactDecimalInput().run_validation(given)
    assert isinstance(found, Decimal)
    assert str(found) == kept
