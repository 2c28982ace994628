"""Removes secrets from log records: by key name, and by shape inside text."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

REDACTED = "[redacted]"

_SECRET_KEY = re.compile(r"pass(word|wd)?|secret|token|api_?key|authorization|cookie|credential|private|signature|session_?key|otp", re.I)
_SECRET_TEXT = (
    re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"),
    re.compile(r"(?i)(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),
    re.compile(
        r"""(?ix)
        ((?: pass(?:word|wd|phrase) | (?<![a-z])pass(?![a-z]) | secret | token | api_?key | signature ) (?:[_-]?(?:key|value|hash))?)
        (\\?["']?\s*[=:]\s*)
        (\\"[^"]*" | "[^"]*" | '[^']*' | [^\s,&;"')}]+)
        """
    ),
)


def redact_text(text: str) -> str:
    """`text` with tokens, credentials in URLs and key=value secrets replaced."""
    text = _SECRET_TEXT[0].sub(rf"\1 {REDACTED}", text)
    text = _SECRET_TEXT[1].sub(REDACTED, text)
    text = _SECRET_TEXT[2].sub(REDACTED, text)
    return _SECRET_TEXT[3].sub(rf"\1\2{REDACTED}", text)


def redact(value: Any, *, key: str = "") -> Any:
    """`value` with secrets replaced, at any depth."""
    if key and _SECRET_KEY.search(key) and value is not None and not isinstance(value, bool):
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {name: redact(item, key=str(name)) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(redact(item) for item in value) if type(value) in (list, tuple) else value
    return value


def redact_secrets(logger: Any, method: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor."""
    for name in list(record):
        if not name.startswith("_") and name != "exc_info":
            record[name] = redact(record[name], key=name)
    return record
