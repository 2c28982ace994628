"""Forecasts, models and trainings over REST. A training is asked for here and done by a worker."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Role
from apps.common.api.pagination import whole_page
from apps.common.api.schema import page_schema
from apps.common.api.views import ApiView
from apps.core.errors import InvalidInput, NotFound
from apps.forecasts import selectors, services
from apps.forecasts.contracts import TrainingState
from apps.forecasts.web.serializers import (
    FeatureSerializer,
    ForecastQuery,
    ForecastSerializer,
    ModelDetailSerializer,
    ModelSerializer,
    TrainingInput,
    TrainingSerializer,
    VenueQuery,
)
from apps.markets import selectors as markets
from apps.markets.contracts import VenueView

FORECASTS = ["forecasts"]
MODELS = ["models"]


class ForecastsView(ApiView):
    @extend_schema(tags=FORECASTS, parameters=[ForecastQuery], responses={200: page_schema(ForecastSerializer)})
    def get(self, request: Request) -> Response:
        """The newest forecast of every instrument and horizon of a venue, or the newest ones of an instrument, oldest first."""
        query = self.query(ForecastQuery)
        if "instrument_id" in query:
            found = selectors.forecasts_for_instrument(query["instrument_id"], horizon_bars=query["horizon_bars"], limit=query["limit"])
        else:
            found = selectors.latest_forecasts(_venue(query).id)[: query["limit"]]
        return Response(whole_page(ForecastSerializer, found))


class ForecastView(ApiView):
    @extend_schema(tags=FORECASTS, responses={200: ForecastSerializer})
    def get(self, request: Request, forecast_id: UUID) -> Response:
        """One forecast with the features it was made from."""
        return self.answer(ForecastSerializer, selectors.forecast_by_id(forecast_id))


class ModelsView(ApiView):
    @extend_schema(tags=MODELS, parameters=[VenueQuery], responses={200: page_schema(ModelSerializer)})
    def get(self, request: Request) -> Response:
        """The model in use for every instrument and horizon of a venue, with its figures out of sample."""
        return Response(whole_page(ModelSerializer, selectors.champions(_venue(self.query(VenueQuery)).id)))


class ModelView(ApiView):
    @extend_schema(tags=MODELS, responses={200: ModelDetailSerializer})
    def get(self, request: Request, model_id: UUID) -> Response:
        """One version of a model: what it was trained on, how good it is, what drives it."""
        return self.answer(ModelDetailSerializer, selectors.model_detail(model_id))


class FeaturesView(ApiView):
    @extend_schema(tags=MODELS, responses={200: page_schema(FeatureSerializer)})
    def get(self, request: Request) -> Response:
        """Every feature in words."""
        return Response(whole_page(FeatureSerializer, list(selectors.feature_descriptions().values())))


class TrainingView(ApiView):
    roles: ClassVar = {"GET": Role.VIEWER, "POST": Role.TRADER}

    @extend_schema(tags=MODELS, parameters=[VenueQuery], responses={200: TrainingSerializer})
    def get(self, request: Request) -> Response:
        """How the newest training of a venue stands."""
        return self.answer(TrainingSerializer, _state(_venue(self.query(VenueQuery))))

    @extend_schema(tags=MODELS, request=TrainingInput, responses={202: TrainingSerializer})
    def post(self, request: Request) -> Response:
        """Ask for a training on every bar up to now; a waiting one is widened. GET tells how it stands."""
        values = self.body(TrainingInput)
        venue = _venue(values)
        services.request_training(
            venue_id=venue.id,
            instrument_ids=_instrument_ids(venue, values.get("instrument_ids")),
            trained_through=venue.now_at,
            reason=f"{values['reason']} ({self.actor})"[:120],
        )
        return self.answer(TrainingSerializer, _state(venue), status=202)


class StartTrainingView(TrainingView):
    """The half of it that older clients start a training with."""

    http_method_names = ["post"]


class TrainingStatusView(TrainingView):
    """The half of it that older clients ask for the state."""

    http_method_names = ["get", "head"]


def _venue(query: dict[str, Any]) -> VenueView:
    if "venue_id" in query:
        return markets.venue(query["venue_id"])
    current = markets.active_venue()
    if current is None:
        raise NotFound("No market is open yet.", where="venue_id", hint="Wait until the first one is ready.")
    return current


def _state(venue: VenueView) -> TrainingState:
    state = selectors.training_state(venue.id)
    if state is None:
        raise NotFound(f"No training has been asked for at {venue.name} yet.", where="venue_id", hint="POST here asks for one.")
    return state


def _instrument_ids(venue: VenueView, wanted: list[UUID] | None) -> list[UUID]:
    known = [spec.id for spec in markets.instruments(venue.id)]
    foreign = sorted(set(wanted or ()) - set(known))
    if foreign:
        raise InvalidInput(f"{venue.name} does not list the instrument {foreign[0]}.", where="instrument_ids")
    return wanted or known
