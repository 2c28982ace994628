"""What may be traded now, and what was refused."""

from __future__ import annotations

from collections.abc import Sequence

from apps.dashboard.domain.blocks import Block, Column, Style, Table, Tile, Tiles
from apps.dashboard.domain.formatting import words
from apps.dashboard.domain.pages import PageContext, page
from apps.markets.selectors import instrument_spec
from apps.portfolio import selectors as portfolio
from apps.portfolio.contracts import MarginCallView
from apps.risk import selectors as risk
from apps.risk.contracts import LimitView, VerdictView
from apps.risk.domain.numbers import percent

_VERDICTS_READ = 200
_REFUSALS_SHOWN = 20


@page(
    path="risk",
    title="Risk",
    intro="The limits that every order is checked against, and the orders that did not pass.",
    icon="warn",
)
def show(context: PageContext) -> Sequence[Block]:
    verdicts = risk.verdicts(account_id=context.account_id, limit=_VERDICTS_READ) if context.account_id else []
    return [_state(context, verdicts), *_margin_calls(context), _refusals(verdicts), _limits()]


def _state(context: PageContext, verdicts: list[VerdictView]) -> Tiles:
    factor = risk.factor(context.account_id) if context.account_id else None
    halt = risk.active_halt(context.account_id)
    refused = sum(not item.verdict.approved for item in verdicts)
    reasons = ", ".join(words(reason).lower() for reason in factor.reasons) if factor else ""
    return Tiles([
        Tile("Risk factor", factor.value if factor else None, Style.PLAIN, reasons or "nothing reduces the size of new positions"),
        Tile("Trading", "halted" if halt else "allowed", note=halt.reason if halt else "no emergency stop is engaged"),
        Tile("Refused", refused, Style.PLAIN, f"of the newest {len(verdicts)} orders"),
        _margin(context),
        Tile("Live orders", "may leave" if not risk.live_refusal() else "stay here", note=risk.live_refusal()),
    ])  # fmt: skip


def _margin(context: PageContext) -> Tile:
    """Where the account's margin stands: how far equity is above the level of a call."""
    state = portfolio.margin_state(context.account_id) if context.account_id else None
    if state is None:
        return Tile("Margin", "not used", note="nothing is held on credit, or nothing is held")
    share, call = state.equity / state.exposure, state.called_below / state.exposure
    closes = state.closed_below / state.exposure
    levels = f"of the exposure is covered; called below {percent(call)}, closed by the venue below {percent(closes)}"
    if state.standing is None:
        return Tile("Margin", percent(share), note=levels)
    return Tile("Margin", "called", note=f"{percent(share)} {levels}; since {state.standing.called_at:%Y-%m-%d %H:%M}")


def _margin_calls(context: PageContext) -> list[Table]:
    """The newest margin calls; nothing for an account that never had one."""
    calls = portfolio.margin_calls(context.account_id, limit=_REFUSALS_SHOWN) if context.account_id else []
    if not calls:
        return []
    columns = [
        Column("Called", Style.WHEN),
        Column("Equity", Style.PLAIN),
        Column("Exposure", Style.PLAIN),
        Column("Asked for", Style.PLAIN),
        Column("Missing", Style.PLAIN),
        Column("Ended", Style.WHEN),
        Column("How"),
    ]
    rows = [[item.called_at, item.equity, item.exposure, item.required, item.missing, item.cleared_at, _ended(item)] for item in calls]
    return [
        Table(
            "Margin calls",
            columns,
            rows,
            empty="There was none",
            note="Told at a close, before the venue closes what equity does not carry.",
        )
    ]


def _ended(call: MarginCallView) -> str:
    if call.cleared_at is None:
        return "stands"
    return "positions were closed" if call.is_flat else "cured"


def _refusals(verdicts: list[VerdictView]) -> Table:
    failures = [(item, failure) for item in verdicts if (failure := item.verdict.first_failure) is not None]
    return Table(
        "Orders that did not pass",
        [
            Column("Judged", Style.MOMENT),
            Column("Instrument"),
            Column("Check", Style.WORDS),
            Column("Value"),
            Column("Limit"),
            Column("Why"),
        ],
        [
            [item.created_at, instrument_spec(item.instrument_id).symbol, failure.code, failure.value, failure.limit, failure.message]
            for item, failure in failures[:_REFUSALS_SHOWN]
        ],
        empty=f"None of the newest {len(verdicts)} orders was refused" if verdicts else "No order was judged yet",
        note=f"The newest {_REFUSALS_SHOWN}; those of sessions are explained under Decisions." if len(failures) > _REFUSALS_SHOWN else "",
    )


def _limits() -> Table:
    return Table(
        "Limits",
        [
            Column("Limit", Style.WORDS),
            Column("Value", Style.PLAIN),
            Column("Applies to"),
            Column("In force", Style.YES),
            Column("Meaning"),
        ],
        [[item.code, item.value, _scope(item), item.is_enabled, item.help] for item in risk.limits()],
        empty="They are set with the first order",
        note="Changed in the admin or over the API; each change is on the log with who made it.",
    )


def _scope(item: LimitView) -> str:
    parts = [
        item.mode,
        item.strategy,
        f"account {item.account_id}" if item.account_id else "",
        instrument_spec(item.instrument_id).symbol if item.instrument_id else "",
    ]
    return ", ".join(part for part in parts if part) or "everything"
