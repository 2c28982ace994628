"""The candle table, the default venue, and how far a source's bars go."""

from django.db import migrations, models

from apps.markets import candle_schema


def create_candles(apps, schema_editor):
    for statement in candle_schema.create_sql(candle_schema.available_backend()):
        schema_editor.execute(statement)


def drop_candles(apps, schema_editor):
    for statement in candle_schema.drop_sql():
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("markets", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="venue",
            name="is_default",
            field=models.BooleanField(
                default=False, help_text="The venue that pages open with. Opening a venue makes it the default."
            ),
        ),
        migrations.AddField(
            model_name="instrument",
            name="first_bar_at",
            field=models.DateTimeField(blank=True, help_text="Close of the first bar that the source has.", null=True),
        ),
        migrations.AddField(
            model_name="instrument",
            name="last_bar_at",
            field=models.DateTimeField(
                blank=True, help_text="Close of the last bar that the source has; empty while it goes on.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="venue",
            name="kind",
            field=models.CharField(
                choices=[("REPLAY", "REPLAY"), ("LIVE", "LIVE"), ("PRACTICE", "PRACTICE"), ("LIBRARY", "LIBRARY")], max_length=10
            ),
        ),
        migrations.RunPython(create_candles, drop_candles),
    ]
