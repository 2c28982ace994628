"""The tolerance of every account, for a person to change."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from apps.backtests.domain.parity_day import DEFAULT_TOLERANCE_BPS


def add(apps: Any, schema_editor: Any) -> None:
    apps.get_model("backtests", "ParityTolerance").objects.create(tolerance_bps=DEFAULT_TOLERANCE_BPS)


class Migration(migrations.Migration):
    dependencies = [("backtests", "0003_what_if_and_parity")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
