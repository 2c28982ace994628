"""Pages."""

from __future__ import annotations

from django.urls import path

from apps.dashboard.domain.pages import declared_pages
from apps.dashboard.pages import load_pages
from apps.dashboard.web.views import actions, closing, declared, lists, market, operations, overview, what_if
from apps.dashboard.web.views.backtests import asking, parity, runs, sweeps, trials

load_pages()

app_name = "dashboard"
urlpatterns = [
    path("", overview.show, name="overview"),
    path("equity-data/", overview.equity_data, name="equity-data"),
    path("portfolio/", overview.show_portfolio, name="portfolio"),
    path("portfolio/equity.csv", overview.equity_csv, name="equity-csv"),
    path("portfolio/journal.csv", overview.journal_csv, name="journal-csv"),
    path("positions/<uuid:instrument_id>/close/", closing.close, name="position-close"),
    path("replays/", overview.show_runs, name="replays"),
    path("chart/", market.first, name="chart-first"),
    path("chart/<path:symbol>/", market.show, name="chart"),
    path("chart-data/<path:symbol>/", market.data, name="chart-data"),
    path("decisions/", lists.show_decisions, name="decisions"),
    path("decisions/export.csv", lists.export_decisions, name="decisions-csv"),
    path("decisions/<uuid:decision_id>/", lists.show_decision, name="decision"),
    path("decisions/<uuid:decision_id>/what-if/", what_if.ask, name="what-if-ask"),
    path("what-ifs/<uuid:what_if_id>/", what_if.answer, name="what-if-answer"),
    path("what-ifs/<uuid:what_if_id>/cancel/", what_if.cancel, name="what-if-cancel"),
    path("orders/", lists.show_orders, name="orders"),
    path("orders/export.csv", lists.export_orders, name="orders-csv"),
    path("orders/new/", market.new_order, name="order-new"),
    path("orders/cancel-all/", market.cancel_all, name="cancel-all"),
    path("orders/<uuid:order_id>/", lists.show_order, name="order"),
    path("orders/<uuid:order_id>/cancel/", market.cancel_order, name="order-cancel"),
    path("orders/<uuid:order_id>/amend/", market.amend_order, name="order-amend"),
    path("backtests/", runs.show_list, name="backtests"),
    path("backtests/new/", asking.new_run, name="backtest-new"),
    path("backtests/compare/", runs.compare, name="backtest-compare"),
    path("backtests/trials/", trials.show, name="trials"),
    path("backtests/parity/", parity.show, name="parity"),
    path("backtests/parity/check/", parity.check, name="parity-check"),
    path("backtests/parity/tolerance/", parity.set_tolerance, name="parity-tolerance"),
    path("backtests/parity/<uuid:day_id>/", parity.show_day, name="parity-day"),
    path("backtests/sweeps/", sweeps.show_list, name="sweeps"),
    path("backtests/sweeps/new/", asking.new_sweep, name="sweep-new"),
    path("backtests/sweeps/<uuid:sweep_id>/", sweeps.show, name="sweep"),
    path("backtests/sweeps/<uuid:sweep_id>/data/", sweeps.data, name="sweep-data"),
    path("backtests/sweeps/<uuid:sweep_id>/run-point/", sweeps.run_point, name="sweep-point"),
    path("backtests/sweeps/<uuid:sweep_id>/cancel/", sweeps.cancel, name="sweep-cancel"),
    path("backtests/sweeps/<uuid:sweep_id>/delete/", sweeps.delete, name="sweep-delete"),
    path("backtests/<uuid:run_id>/", runs.show, name="backtest"),
    path("backtests/<uuid:run_id>/records/", runs.show_records, name="backtest-records"),
    path("backtests/<uuid:run_id>/export/", runs.export, name="backtest-export"),
    path("backtests/<uuid:run_id>/curves/", runs.curves, name="backtest-curves"),
    path("backtests/<uuid:run_id>/candles/", runs.candles, name="backtest-candles"),
    path("backtests/<uuid:run_id>/histories/", runs.histories, name="backtest-histories"),
    path("backtests/<uuid:run_id>/beside/", runs.put_beside, name="backtest-beside"),
    path("backtests/<uuid:run_id>/cancel/", runs.cancel, name="backtest-cancel"),
    path("backtests/<uuid:run_id>/repeat/", runs.repeat, name="backtest-repeat"),
    path("backtests/<uuid:run_id>/delete/", runs.delete, name="backtest-delete"),
    path("models/", operations.show_models, name="models"),
    path("events/", operations.show_events, name="events"),
    path("events/export/", operations.export_events, name="events-export"),
    path("system/", operations.show_system, name="system"),
    path("halt/", actions.halt, name="halt"),
    path("halt/<uuid:halt_id>/", actions.halt_result, name="halt-result"),
    path("halt/<uuid:halt_id>/reset/", actions.reset_halt, name="halt-reset"),
    path("transport/", actions.transport, name="transport"),
    path("sessions/<uuid:session_id>/stop/", actions.stop_session, name="session-stop"),
    *(path(f"{item.path}/", declared.show, {"item": item}, name=f"declared-{item.path}") for item in declared_pages()),
]
