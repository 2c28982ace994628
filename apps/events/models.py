"""The log, what the relay and the handlers have done with it, dead letters and alerts."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.common.models import UuidModel


class LoggedEvent(UuidModel):
    """One event. Append-only: a trigger refuses UPDATE (but for the sealer's one placing) and DELETE."""

    event_type = models.CharField(max_length=60)
    version = models.PositiveSmallIntegerField()
    priority = models.PositiveSmallIntegerField()
    subject = models.CharField(max_length=80, blank=True, help_text="What it is about: an order, session, account or instrument id.")
    actor = models.CharField(max_length=150, help_text="Who caused it: a user, a process or a session.")
    payload = models.JSONField()
    occurred_at = models.DateTimeField(help_text="The market's time.")
    recorded_at = models.DateTimeField(help_text="Our time.")
    position = models.BigIntegerField(null=True, unique=True, editable=False)
    hash = models.BinaryField(null=True, editable=False, max_length=32)

    class Meta:
        db_table = "event_log"
        ordering: ClassVar = ["-position"]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=models.Q(position=None), name="event_log_unsealed"),
            models.Index(fields=["subject", "position"], name="event_log_subject"),
            models.Index(fields=["event_type", "position"], name="event_log_type"),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.event_type}"


class LogIdentity(models.Model):
    """One row: which log this is, so that an anchor file of another database is not mistaken for its own."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    log_id = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.log_id)


class ConsumerCheckpoint(models.Model):
    """How far a consumer of the log has come, and how it fared. A handler has one per lane, named `handler:lane`."""

    consumer = models.CharField(max_length=80, primary_key=True, help_text="relay, activity, or a handler and its lane.")
    position = models.BigIntegerField(default=0, help_text="Everything up to this position is dealt with.")
    handled = models.BigIntegerField(default=0, help_text="Events taken successfully.")
    failed = models.BigIntegerField(default=0, help_text="Attempts that raised an error.")
    retried = models.BigIntegerField(default=0, help_text="Attempts after the first.")
    seconds_total = models.FloatField(default=0.0, help_text="Time spent inside the handler.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["consumer"]

    def __str__(self) -> str:
        return f"{self.consumer} at {self.position}"


class DeadLetter(UuidModel):
    """An event that a handler could not take after all retries."""

    event = models.ForeignKey(LoggedEvent, on_delete=models.PROTECT)
    handler = models.CharField(max_length=80, help_text="The handler that gave up.")
    attempts = models.PositiveSmallIntegerField(help_text="Failed attempts in all.")
    error = models.CharField(max_length=500, help_text="What went wrong the last time.")
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person or a later attempt settled it; empty while it is open."
    )

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["event", "handler"], name="dead_letter_once")]

    def __str__(self) -> str:
        return f"{self.handler}: {self.error}"


class HandlerRetry(UuidModel):
    """An event that a handler failed on and will be given again at `next_attempt_at`."""

    event = models.ForeignKey(LoggedEvent, on_delete=models.PROTECT)
    handler = models.CharField(max_length=80)
    attempts = models.PositiveSmallIntegerField(help_text="Failed attempts so far.")
    next_attempt_at = models.DateTimeField(help_text="When it is tried again.")
    error = models.CharField(max_length=500, help_text="What went wrong the last time.")

    class Meta:
        ordering: ClassVar = ["next_attempt_at"]
        verbose_name_plural = "handler retries"
        constraints: ClassVar = [models.UniqueConstraint(fields=["event", "handler"], name="handler_retry_once")]
        indexes: ClassVar = [models.Index(fields=["next_attempt_at"], name="handler_retry_due")]

    def __str__(self) -> str:
        return f"{self.handler}: attempt {self.attempts + 1} at {self.next_attempt_at:%H:%M:%S}"


class ActivityCount(models.Model):
    """A projection of the log: how many events of each type each day has seen. Rebuilt and compared by `replay_events`."""

    event_type = models.CharField(max_length=60)
    day = models.DateField(help_text="Day of occurred_at, UTC.")
    count = models.BigIntegerField(default=0)
    last_position = models.BigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-day", "event_type"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["event_type", "day"], name="activity_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.event_type} {self.count}"
