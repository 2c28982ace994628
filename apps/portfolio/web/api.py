"""Accounts, positions, performance and the journal over REST."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.api.pagination import page_of, whole_page
from apps.common.api.schema import page_schema
from apps.common.api.views import AccountView as NamedOrDefaultAccount
from apps.common.api.views import ApiView
from apps.common.moment import one_moment
from apps.portfolio import selectors
from apps.portfolio.web.serializers import (
    AccountQuery,
    AccountSerializer,
    ClosedTradeSerializer,
    EntrySerializer,
    EquityPointSerializer,
    EquityQuery,
    JournalQuery,
    PerformanceSerializer,
    PortfolioSerializer,
    PositionQuery,
    PositionSerializer,
    SummarySerializer,
    TearSheetSerializer,
)

TAGS = ["portfolio"]


class AccountsView(ApiView):
    @extend_schema(tags=TAGS, responses={200: page_schema(AccountSerializer)})
    def get(self, request: Request) -> Response:
        """Accounts, newest first; closed ones too."""
        return Response(whole_page(AccountSerializer, selectors.accounts()))


class AccountView(ApiView):
    @extend_schema(tags=TAGS, responses={200: AccountSerializer})
    def get(self, request: Request, account_id: UUID) -> Response:
        """One account."""
        return self.answer(AccountSerializer, selectors.account(account_id))


class SummaryView(NamedOrDefaultAccount):
    @extend_schema(tags=TAGS, parameters=[AccountQuery], responses={200: SummarySerializer})
    def get(self, request: Request) -> Response:
        """Cash, holdings, equity and P&L of an account."""
        return self.answer(SummarySerializer, selectors.account_summary(self.account_id(self.query(AccountQuery))))


class PortfolioView(NamedOrDefaultAccount):
    @extend_schema(tags=TAGS, parameters=[AccountQuery], responses={200: PortfolioSerializer})
    def get(self, request: Request) -> Response:
        """An account and what it holds."""
        account_id = self.account_id(self.query(AccountQuery))
        portfolio = {"summary": selectors.account_summary(account_id), "positions": selectors.positions(account_id)}
        return self.answer(PortfolioSerializer, portfolio)


class PositionsView(NamedOrDefaultAccount):
    @extend_schema(tags=TAGS, parameters=[PositionQuery], responses={200: page_schema(PositionSerializer)})
    def get(self, request: Request) -> Response:
        """What an account holds, by symbol."""
        query = self.query(PositionQuery)
        account = selectors.account(self.account_id(query))
        return Response(whole_page(PositionSerializer, selectors.positions(account.id, with_closed=query["with_closed"])))


class PerformanceView(NamedOrDefaultAccount):
    @extend_schema(tags=TAGS, parameters=[AccountQuery], responses={200: PerformanceSerializer})
    def get(self, request: Request) -> Response:
        """Return, Sharpe ratio, drawdown and win rate of an account, and all other figures with what they mean."""
        account_id = self.account_id(self.query(AccountQuery))
        with one_moment():
            figures = [figure.as_dict() for figure in selectors.figures(account_id)]
            performance = asdict(selectors.performance(account_id))
        return self.answer(PerformanceSerializer, {**performance, "figures": figures})


class TearSheetView(NamedOrDefaultAccount):
    @extend_schema(tags=TAGS, parameters=[AccountQuery], responses={200: TearSheetSerializer})
    def get(self, request: Request) -> Response:
        """Curves, tables, trades, costs and figures of an account."""
        return self.answer(TearSheetSerializer, selectors.tear_sheet(self.account_id(self.query(AccountQuery))))


class EquityView(NamedOrDefaultAccount):
    @extend_schema(tags=TAGS, parameters=[EquityQuery], responses={200: page_schema(EquityPointSerializer)})
    def get(self, request: Request) -> Response:
        """The whole equity curve of an account, oldest first, thinned evenly to the number of points asked for."""
        query = self.query(EquityQuery)
        account = selectors.account(self.account_id(query))
        return Response(whole_page(EquityPointSerializer, selectors.equity_curve(account.id, limit=query["limit"])))


class TradesView(NamedOrDefaultAccount):
    @extend_schema(tags=TAGS, parameters=[JournalQuery], responses={200: page_schema(ClosedTradeSerializer)})
    def get(self, request: Request) -> Response:
        """Round trips of an account, newest first."""
        query = self.query(JournalQuery)
        account = selectors.account(self.account_id(query))

        def fetch(cursor: UUID | None, count: int) -> list[Any]:
            return selectors.closed_trades(account.id, before=cursor, limit=count)

        return Response(page_of(request, ClosedTradeSerializer, fetch, query, key=lambda row: row.id))


class JournalView(NamedOrDefaultAccount):
    @extend_schema(tags=TAGS, parameters=[JournalQuery], responses={200: page_schema(EntrySerializer)})
    def get(self, request: Request) -> Response:
        """Bookings of an account with their lines, newest first."""
        query = self.query(JournalQuery)
        account = selectors.account(self.account_id(query))

        def fetch(cursor: UUID | None, count: int) -> list[Any]:
            return selectors.entries(account.id, before=cursor, limit=count)

        return Response(page_of(request, EntrySerializer, fetch, query, key=lambda row: row.id))
