"""Trained models with what they were trained on, training runs, and every forecast made."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.common.models import UuidModel
from apps.forecasts.contracts import ModelStatus, TrainingStatus, Trend, model_label
from apps.markets.models import Instrument, Venue


class TrainingRun(UuidModel):
    """One training of all listed instruments of a venue. The row is the intent; Celery only carries the wake-up."""

    venue = models.ForeignKey(Venue, on_delete=models.CASCADE, related_name="training_runs")
    status = models.CharField(max_length=10, choices=[(item.value, item.value) for item in TrainingStatus], default=TrainingStatus.QUEUED)
    reason = models.CharField(max_length=120, blank=True, help_text="Why it was asked for.")
    trained_through = models.DateTimeField(help_text="Newest bar that training may see.")
    instrument_ids = models.JSONField(default=list, help_text="Ids of the instruments to train.")
    progress_done = models.IntegerField(default=0, help_text="Instrument and horizon pairs done.")
    progress_total = models.IntegerField(default=0, help_text="Instrument and horizon pairs in all.")
    message = models.CharField(max_length=500, blank=True, help_text="What it is doing, or how it ended.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    last_progress_at = models.DateTimeField(
        null=True, blank=True, help_text="A running run without progress is taken up by another worker."
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="How often a worker has taken it up; only the newest may write.")

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["venue"], condition=models.Q(status="QUEUED"), name="one_queued_training"),
            models.UniqueConstraint(fields=["venue"], condition=models.Q(status="RUNNING"), name="one_running_training"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.created_at:%Y-%m-%d %H:%M:%S}"


class ForecastModel(UuidModel):
    """One version of a model for one instrument and horizon. `artifact` is the learner's own text form, never a pickle."""

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="forecast_models")
    training_run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="models")
    timeframe = models.CharField(max_length=4)
    horizon_bars = models.PositiveSmallIntegerField(help_text="How many bars ahead it predicts.")
    learner = models.CharField(max_length=40, help_text="lightgbm, or naive: the baseline that the strategy does not trade on.")
    version = models.PositiveIntegerField(help_text="Counts the models of this instrument, horizon and learner.")
    status = models.CharField(max_length=10, choices=[(item.value, item.value) for item in ModelStatus], default=ModelStatus.CANDIDATE)
    status_reason = models.CharField(max_length=300, blank=True, help_text="Why the champion was chosen.")
    features = models.JSONField(default=list, help_text="Columns in the order the model sees them.")
    dataset_hash = models.CharField(
        max_length=64, help_text="Hash of the bytes it was trained on; the same hash and seed give the same model."
    )
    seed = models.BigIntegerField()
    rows = models.IntegerField(help_text="Labelled bars it was trained on.")
    trained_from = models.DateTimeField(help_text="Close of the first labelled bar.")
    trained_through = models.DateTimeField(help_text="Newest bar that training could see.")
    metrics = models.JSONField(default=dict, help_text="Out-of-sample figures beside the naive baseline's.")
    calibration = models.JSONField(default=dict, help_text="Residual quantiles and confidence mapping from held-out bars.")
    importance = models.JSONField(default=dict, help_text="Share of the total gain by feature.")
    parameters = models.JSONField(default=dict)
    artifact = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "horizon_bars", "learner", "version"], name="model_version_once"),
            models.UniqueConstraint(fields=["training_run", "instrument", "horizon_bars", "learner"], name="model_once_per_run"),
            models.UniqueConstraint(
                fields=["instrument", "timeframe", "horizon_bars"], condition=models.Q(status="CHAMPION"), name="one_champion"
            ),
        ]

    def __str__(self) -> str:
        return model_label(self.learner, self.version, self.horizon_bars)


class Forecast(UuidModel):
    """A forecast as it was made, with its inputs. Never changed."""

    model = models.ForeignKey(ForecastModel, on_delete=models.CASCADE, related_name="forecasts")
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="forecasts")
    horizon_bars = models.PositiveSmallIntegerField()
    as_of = models.DateTimeField(help_text="Close of the last bar used.")
    expected_return = models.FloatField(help_text="Log return over the horizon.")
    lower = models.FloatField(help_text="Lower end of the interval, a log return.")
    upper = models.FloatField(help_text="Upper end of the interval, a log return.")
    coverage = models.FloatField(help_text="Nominal coverage of the interval.")
    probability_up = models.FloatField(help_text="Probability of a rise, calibrated on held-out bars.")
    confidence = models.FloatField(help_text="Probability of the likelier side: 0.5 is a coin flip, 1 is certain.")
    trend = models.CharField(max_length=5, choices=[(item.value, item.value) for item in Trend])
    features = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-as_of"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["model", "as_of"], name="forecast_once")]
        indexes: ClassVar = [models.Index(fields=["instrument", "horizon_bars", "-as_of"], name="forecast_by_instrument")]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.as_of:%Y-%m-%d} {self.expected_return:+.4f}"
