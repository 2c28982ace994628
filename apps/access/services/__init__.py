"""Writes of access: the first administrator, log-in links, log-in with lockout, requests answered once."""

from apps.access.services.accounts import ensure_first_admin
from apps.access.services.idempotency import StoredAnswer, answer_once, request_fingerprint
from apps.access.services.links import issue_login_link, redeem_login_link
from apps.access.services.login import authenticate_with_lockout
from apps.access.services.retention import forget_expired
from apps.access.services.tokens import TokenPair, issue_tokens, revoke_tokens, rotate_tokens

__all__ = [
    "StoredAnswer",
    "TokenPair",
    "answer_once",
    "authenticate_with_lockout",
    "ensure_first_admin",
    "forget_expired",
    "issue_login_link",
    "issue_tokens",
    "redeem_login_link",
    "request_fingerprint",
    "revoke_tokens",
    "rotate_tokens",
]
