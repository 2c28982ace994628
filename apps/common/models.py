"""Rows of the runtime: who owns what (leases) and who completed work lately (heartbeats); bases for other models."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.core.ids import uuid7


class UuidModel(models.Model):
    """A row with a time-ordered uuid7 key."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True


class Lease(models.Model):
    """The right to do one thing, held by one process at a time.

    `token` grows with every change of owner; a writer that holds an older token has lost the lease (fencing).
    """

    name = models.CharField(max_length=120, primary_key=True)
    owner = models.CharField(max_length=120)
    token = models.BigIntegerField(default=0)
    acquired_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return f"{self.name} held by {self.owner} (token {self.token})"


class Heartbeat(models.Model):
    """The last time a process completed a unit of work (not merely: was alive)."""

    process = models.CharField(max_length=80, primary_key=True)
    pid = models.IntegerField()
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField()
    detail = models.CharField(max_length=200, blank=True)
    expected_every_seconds = models.FloatField(default=10.0)

    class Meta:
        ordering: ClassVar = ["process"]

    def __str__(self) -> str:
        return f"{self.process} at {self.completed_at:%H:%M:%S}"
