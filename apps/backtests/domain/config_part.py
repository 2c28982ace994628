"""What every part of a configuration is made of."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class ConfigPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A frozen value that refuses unknown fields; its decimals have no zeros at the end, so that equal ones are written alike."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal):
                msgspec.structs.force_setattr(self, name, _plain(value))
            elif isinstance(value, dict):
                plain = {key: _plain(item) if isinstance(item, Decimal) else item for key, item in value.items()}
                msgspec.structs.force_setattr(self, name, plain)


def _plain(value: Decimal) -> Decimal:
    """Without zeros at the end of its decimals."""
    if not value.is_finite():
        return value
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
