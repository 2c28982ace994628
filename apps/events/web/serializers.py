"""The log as programs read it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rest_framework import serializers

from apps.common.api.fields import ListOfField
from apps.common.api.pagination import LimitQuery
from apps.core.events import registered_events


def known_types() -> Collection[str]:
    return {cls.event_type for cls in registered_events()}


class LogEntrySerializer(serializers.Serializer[Any]):
    position = serializers.IntegerField(allow_null=True, help_text="Place in the log; null for a moment until it is sealed.")
    id = serializers.UUIDField()
    event_type = serializers.CharField()
    version = serializers.IntegerField()
    priority = serializers.SerializerMethodField()
    subject = serializers.CharField(help_text="The order, session, account or instrument it is about.")
    actor = serializers.CharField(help_text="Who caused it.")
    payload = serializers.DictField(help_text="The fields of the event.")
    occurred_at = serializers.DateTimeField(help_text="The market's time.")
    recorded_at = serializers.DateTimeField(help_text="Our time.")

    def get_priority(self, entry: Any) -> str:
        return str(entry.priority.name)


class TailSerializer(serializers.Serializer[Any]):
    results = LogEntrySerializer(many=True)
    next_after = serializers.IntegerField(help_text="Ask with `after` set to this for what comes next.")
    head_position = serializers.IntegerField(help_text="Position of the newest event.")


class LogStateSerializer(serializers.Serializer[Any]):
    head_position = serializers.IntegerField()
    unsealed = serializers.IntegerField()
    oldest_unsealed_seconds = serializers.FloatField()
    relayed_position = serializers.IntegerField()
    projected_position = serializers.IntegerField()


class HandlerStatsSerializer(serializers.Serializer[Any]):
    handler = serializers.CharField()
    position = serializers.IntegerField()
    lag = serializers.IntegerField(help_text="Events that it has not passed yet.")
    handled = serializers.IntegerField()
    failed = serializers.IntegerField()
    retried = serializers.IntegerField()
    dead = serializers.IntegerField()
    seconds_total = serializers.FloatField()
    updated_at = serializers.DateTimeField()


class DeadLetterSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    handler = serializers.CharField()
    event_id = serializers.UUIDField()
    event_type = serializers.CharField()
    position = serializers.IntegerField()
    attempts = serializers.IntegerField()
    error = serializers.CharField()
    created_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)


class TailQuery(LimitQuery):
    after = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**62,
        help_text="Events behind this position, oldest first. Left out: the newest, newest first.",
    )
    types = ListOfField(known_types, required=False, help_text="Event types, separated by commas.")
    subject = serializers.CharField(required=False, max_length=80, help_text="Everything about this id, oldest first; alone but for limit.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "subject" in attrs and ({"after", "types"} & set(attrs)):
            raise serializers.ValidationError({"subject": "Give subject alone, or after and types."})
        return attrs
