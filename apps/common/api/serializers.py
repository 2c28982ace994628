"""Input serializers refuse what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """Input whose unknown fields are errors, named one by one."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            self._refuse_unknown(data)
        return super().to_internal_value(data)

    def _refuse_unknown(self, data: Mapping[str, Any]) -> None:
        known = [name for name, field in self.fields.items() if not field.read_only]
        allowed = f"Known: {', '.join(known)}." if known else "None is known here."
        errors = {str(name): [f"Unknown field. {allowed}"] for name in data if name not in known}
        if errors:
            raise serializers.ValidationError(errors, code="unknown_field")
