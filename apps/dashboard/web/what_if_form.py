"""The form of a what-if: what was typed, read field by field, so that every complaint stands beside the field that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.http import QueryDict

from apps.backtests.domain.what_if import WhatIfChanges
from apps.core.errors import InvalidInput
from apps.dashboard.web.query import decimal_of
from apps.dashboard.web.run_form import Typed

NUMBERS = ("confidence", "risk_per_trade", "quantity", "fee_bps", "spread_bps", "slippage_bps")
FIELDS = ("limit", "limit_value", *NUMBERS, "is_lasting")
OFF = "off"


@dataclass
class WhatIfForm:
    """Reads a form. After `changes()`, `errors` has a sentence by name of field; the empty name is for what belongs to none."""

    data: Mapping[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, changes: Mapping[str, Any]) -> WhatIfForm:
        """The form as it was filled for a question."""
        values = {name: str(changes[name]) for name in NUMBERS if name in changes}
        for code, value in list(changes.get("limits", {}).items())[:1]:
            values |= {"limit": code, "limit_value": OFF if value is None else str(value)}
        return cls(values | ({"is_lasting": "yes"} if changes.get("is_lasting") else {}))

    @property
    def fields(self) -> dict[str, Typed]:
        """Every field by name, for the template."""
        return {name: Typed(name, self.data.get(name, ""), self.errors.get(name, "")) for name in FIELDS}

    def changes(self, posted: QueryDict) -> WhatIfChanges | None:
        """What is asked, or None with the reasons in `errors`."""
        numbers = {name: self._number(posted, name) for name in NUMBERS}
        limits = self._limits(posted)
        if self.errors:
            return None
        return WhatIfChanges(limits=limits, is_lasting=posted.get("is_lasting") == "yes", **numbers)

    def complain(self, error: InvalidInput) -> None:
        """Put what a service refuses beside its field."""
        name = "limit_value" if error.where.startswith("limits.") else "limit" if error.where == "limits" else error.where
        self.errors[name if name in FIELDS else ""] = " ".join(part for part in (error.message, error.hint) if part)

    def _number(self, posted: QueryDict, name: str) -> Decimal | None:
        try:
            return decimal_of(posted, name)
        except InvalidInput as error:
            self.complain(error)
            return None

    def _limits(self, posted: QueryDict) -> dict[str, Decimal | None]:
        code, text = posted.get("limit", ""), posted.get("limit_value", "").strip()
        if not code:
            if text:
                self.errors["limit"] = "Choose which limit this is."
            return {}
        if text.lower() == OFF:
            return {code: None}
        value = self._number(posted, "limit_value")
        if value is None and "limit_value" not in self.errors:
            self.errors["limit_value"] = "Type its value, or off."
        return {} if value is None else {code: value}
