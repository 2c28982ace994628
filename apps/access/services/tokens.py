"""JSON web tokens: a refresh token is good for one rotation, also when two requests use it at the same moment."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from apps.access.contracts import TokenRefused
from apps.access.models import User


@dataclass(frozen=True)
class TokenPair:
    access: str
    refresh: str


def issue_tokens(user: User) -> TokenPair:
    """A fresh pair for a user who has just proven who they are."""
    refresh = RefreshToken.for_user(user)
    return TokenPair(access=str(refresh.access_token), refresh=str(refresh))


def rotate_tokens(refresh: str) -> TokenPair:
    """The next pair for a refresh token, which is used up by it. Raises TokenRefused."""
    with transaction.atomic():
        user = _use_up(refresh)
        if user is None or not user.is_active:
            raise TokenRefused("The user of this token may not log in.")
        return issue_tokens(user)


def revoke_tokens(refresh: str) -> None:
    """Log out: the refresh token cannot be used again. Raises TokenRefused for one that could not be used anyway."""
    with transaction.atomic():
        _use_up(refresh)


def _use_up(text: str) -> User | None:
    """Blacklist the token, once: its row is locked, so that the second of two requests with it is refused.

    None for a user who is gone or has changed the password since.
    """
    try:
        token = RefreshToken(text)  # type: ignore[arg-type]  # its annotation is wrong: it takes the text
    except TokenError as error:
        raise TokenRefused("The token is invalid, expired or used up.") from error
    row = OutstandingToken.objects.select_for_update().filter(jti=token["jti"]).first()
    if row is None or BlacklistedToken.objects.filter(token=row).exists():
        raise TokenRefused("The token is invalid, expired or used up.")
    BlacklistedToken.objects.create(token=row)
    user = User.objects.filter(pk=row.user_id or 0).first()
    if user is None or token.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
        return None
    return user
