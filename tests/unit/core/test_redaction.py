"""A canary secret does not survive, wherever it stands in a record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.redaction import REDACTED, redact, redact_secrets, redact_text

CANARY = "c4n4ry-S3cret-0123456789"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
SECRET_NAMES = [
    "password",
    "DB_PASSWORD",
    "passwd",
    "secret",
    "client_secret",
    "token",
    "access_token",
    "api_key",
    "apiKey",
    "Authorization",
    "cookie",
    "credentials",
    "private_key",
    "signature",
    "session_key",
    "otp",
    "BROKER_API_SECRET",
]


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"basic {CANARY}",
        f"token {JWT} refused",
        f"postgres://user:{CANARY}@localhost/db",
        f"redis://:{CANARY}@localhost:6379/0",
        f"password={CANARY}&x=1",
        f"api_key: '{CANARY}'",
        f'{{"secret": "{CANARY}"}}',
        f'"access_token": "{CANARY}"',
        f"signature={CANARY}",
        f'{{"body": "{{\\"password\\": \\"{CANARY}\\"}}"}}',
        f"DB_PASS={CANARY}",
        f"secret_key={CANARY}",
        f"https://api.example/order?apiKey={CANARY}&qty=1",
        f"BROKER_API_SECRET={CANARY}",
    ],
)
def test_no_shape_of_a_secret_survives_in_text(text: str) -> None:
    cleaned = redact_text(text)
    assert CANARY not in cleaned
    assert JWT not in cleaned
    assert REDACTED in cleaned


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_secret_is_known_by_its_name_at_any_depth(name: str) -> None:
    record: dict[str, Any] = {"event": "x", "nested": [{name: CANARY}, {"inner": {name: [CANARY]}}], name: CANARY}
    assert CANARY not in repr(redact_secrets(None, "info", record))


@given(
    st.recursive(
        st.text(max_size=8) | st.integers() | st.none() | st.booleans(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
        max_leaves=12,
    )
)
def test_what_is_no_secret_is_left_as_it_is(value: Any) -> None:
    assert redact({"value": value}) == {"value": value}


def test_ordinary_words_survive() -> None:
    text = "order 12 filled at 61234.50, basic checks passed: 3, passage: closed, bearer of news, the tokens: 5"
    assert redact_text(text) == text


def test_flags_named_like_secrets_are_kept() -> None:
    assert redact({"has_password": True, "token": None}) == {"has_password": True, "token": None}


def test_an_event_keeps_its_traceback_for_later_processors() -> None:
    record = {"exc_info": (ValueError, ValueError("x"), None), "_record": CANARY}
    assert redact_secrets(None, "info", dict(record)) == record
