"""Requests that move money are answered once: the same key and body get the first answer again, another body is a conflict."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from apps.access.models import IdempotentRequest
from apps.core.errors import Conflict, InvalidInput

LONGEST_KEY = 100


@dataclass(frozen=True)
class StoredAnswer:
    """An answer as it went out. `is_repeat` tells that it was given before."""

    status_code: int
    body: Any
    is_repeat: bool = False


def answer_once(*, user_id: int, key: str, fingerprint: str, handle: Callable[[], StoredAnswer]) -> StoredAnswer:
    """Run `handle` for the first request with this key, in the transaction that stores its answer; repeat the answer for the others.

    Requests at the same time wait for the first. An exception of `handle` rolls all back, so that the key is free again.
    Raises InvalidInput for a key that cannot be one, Conflict when the key was used for another request.
    """
    _check_key(key)
    with transaction.atomic():
        row = IdempotentRequest(user_id=user_id, key=key, request_hash=fingerprint)
        IdempotentRequest.objects.bulk_create([row], ignore_conflicts=True)
        stored = IdempotentRequest.objects.select_for_update().get(user_id=user_id, key=key)
        if stored.id != row.id:
            return _repeat(stored, fingerprint)
        answer = handle()
        stored.status_code = answer.status_code
        stored.response = json.loads(json.dumps(answer.body, cls=DjangoJSONEncoder))
        stored.save(update_fields=["status_code", "response"])
        return StoredAnswer(answer.status_code, stored.response)


def request_fingerprint(*, method: str, path: str, body: Any) -> str:
    """What makes two requests the same: method, path and the meaning of the body."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), cls=DjangoJSONEncoder)
    return hashlib.sha256(f"{method} {path.rstrip('/')}\n{canonical}".encode()).hexdigest()


def _repeat(stored: IdempotentRequest, fingerprint: str) -> StoredAnswer:
    if stored.request_hash != fingerprint or stored.status_code is None:
        raise Conflict(
            "This Idempotency-Key was used for another request.",
            where="Idempotency-Key",
            hint="Use a new key for a new request.",
            code="idempotency_key_reused",
        )
    return StoredAnswer(stored.status_code, stored.response, is_repeat=True)


def _check_key(key: str) -> None:
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise InvalidInput(
            f"The Idempotency-Key must be 1 to {LONGEST_KEY} printable ASCII characters.",
            where="Idempotency-Key",
            hint="A random UUID is a good key.",
        )
