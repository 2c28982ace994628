"""What goes in and out of the log-in endpoints."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.access.contracts import Role
from apps.common.api.fields import EnumField
from apps.common.api.serializers import StrictSerializer


class CredentialsInput(StrictSerializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, style={"input_type": "password"})


class RefreshInput(StrictSerializer):
    refresh = serializers.CharField(max_length=4000, help_text="A refresh token; it can be used once.")


class TokenPairSerializer(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="Send as `Authorization: Bearer ...`; good for minutes.")
    refresh = serializers.CharField(help_text="Gives the next pair, once.")


class MeSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    role = EnumField(Role)
    is_superuser = serializers.BooleanField()
