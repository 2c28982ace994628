"""Users with a role, one-time log-in links, and idempotency keys."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models

from apps.access.contracts import Role
from apps.common.models import UuidModel


class User(AbstractUser):
    """A person (or program) that may log in."""

    role = models.CharField(max_length=8, choices=[(role.value, role.value) for role in Role], default=Role.VIEWER)

    def has_role(self, role: Role | str) -> bool:
        """Whether the user's role includes `role`. Superusers have every role."""
        return self.is_active and (self.is_superuser or Role(self.role).rank >= Role(role).rank)


class LoginLink(UuidModel):
    """A link that logs in once, from this machine only, for a short time. Only the hash of its token is stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_links")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"link for {self.user_id}"


class IdempotentRequest(UuidModel):
    """The answer given to a request with an Idempotency-Key, given again when the same request comes again."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="idempotent_requests")
    key = models.CharField(max_length=100)
    request_hash = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(null=True)
    response = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key


class LoginThrottle(models.Model):
    """Failed log-ins of one name from one address; counted atomically."""

    name = models.CharField(max_length=200, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.failures}"
