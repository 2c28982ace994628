"""Models in use with their figures, features, and where the data comes from."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.dashboard.domain.formatting import words
from apps.dashboard.selectors.overview import chart_path
from apps.dashboard.selectors.shapes import FeatureValue, SymbolLink
from apps.forecasts import selectors as forecasts
from apps.forecasts.contracts import ModelDetail, ModelMetrics, TrainingState
from apps.markets import selectors as markets


@dataclass(frozen=True)
class Figure:
    """One out-of-sample figure; `naive` is what the baseline reaches, where that says something."""

    name: str
    value: float | None
    naive: float | None
    meaning: str


@dataclass(frozen=True)
class ModelCard:
    detail: ModelDetail
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Models:
    training: TrainingState | None
    cards: tuple[ModelCard, ...]
    features: tuple[FeatureValue, ...]

    @property
    def training_percent(self) -> float:
        done, total = (self.training.progress_done, self.training.progress_total) if self.training else (0, 0)
        return round(100 * done / total, 1) if total else 0.0


@dataclass(frozen=True)
class SourceRow:
    """Instruments whose bars come from the same place."""

    label: str
    is_closes_only: bool
    instruments: tuple[SymbolLink, ...]


def models(venue_id: UUID | None) -> Models:
    """Everything of the models page."""
    descriptions = forecasts.feature_descriptions().values()
    features = tuple(FeatureValue(item.name, words(item.name), f"{item.description} ({item.unit})", None) for item in descriptions)
    if venue_id is None:
        return Models(None, (), features)
    details = [forecasts.model_detail(item.id) for item in forecasts.champions(venue_id)]
    cards = tuple(ModelCard(item, _figures(item.summary.metrics)) for item in details)
    return Models(forecasts.training_state(venue_id), cards, features)


def sources(venue_id: UUID) -> list[SourceRow]:
    """The instruments of a venue by where their bars come from."""
    found: dict[tuple[str, bool], list[SymbolLink]] = {}
    for instrument in markets.instruments(venue_id):
        detail = markets.instrument_detail(instrument.id)
        found.setdefault((detail.source_label, detail.is_closes_only), []).append(
            SymbolLink(instrument.symbol, chart_path(instrument.symbol))
        )
    return [SourceRow(label, is_closes_only, tuple(links)) for (label, is_closes_only), links in found.items()]


def _figures(metrics: ModelMetrics) -> tuple[Figure, ...]:
    return (
        Figure("Skill over naive", metrics.skill, 0.0, "1 minus its squared error over the naive one; above 0 is better than naive"),
        Figure("Root mean squared error", metrics.rmse, metrics.baseline_rmse, "of the log return over the horizon"),
        Figure("Edge over naive", metrics.edge_t, None, "in standard errors; above 2 is unlikely to be chance"),
        Figure("Information coefficient", metrics.information_coefficient, None, "correlation of forecast and outcome"),
        Figure("Hit rate", metrics.hit_rate, None, "share of right signs"),
        Figure("Coverage of the interval", metrics.coverage, None, "share of outcomes inside it"),
    )
