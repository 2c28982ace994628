"""The risk gate: one order at a time per account, judged against the books and everything that open orders may still do."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from apps.common.locks import Lock, lock_in_transaction
from apps.core.ids import uuid7
from apps.core.ports import port
from apps.events.services import record_event
from apps.risk import selectors
from apps.risk.contracts import CheckResult, LimitCode, OrderProposal, RiskTriggered, Verdict
from apps.risk.domain.exposure import AccountExposure, Held, facts_of
from apps.risk.domain.facts import Facts, Limits, reserve_for
from apps.risk.domain.gate import judge
from apps.risk.domain.limits import limit_rules
from apps.risk.models import RiskVerdict
from apps.risk.ports import OrderControl, PortfolioView
from apps.risk.services.limits import seed_default_limits
from apps.risk.services.reservations import held_by_open_orders, reserve, widen_reservation

_STABLE_READ_TRIES = 5


@transaction.atomic
def assess_and_reserve(proposal: OrderProposal, *, now: datetime) -> Verdict:
    """Judge the order and, if approved, reserve what it may use, in the caller's transaction. `now` stamps what has no market time.

    The lock on the account is held until the caller's transaction ends: of any number of orders at once that would each just fit a limit,
    exactly as many pass as fit together. Asking again for the same order id returns the stored verdict.
    """
    lock_in_transaction(Lock.ACCOUNT_RISK, proposal.account_id)
    known = RiskVerdict.objects.filter(order_id=proposal.order_id).first()
    if known is not None:
        return selectors.stored_verdict(known)
    verdict = _judged(proposal, now=now)
    if verdict.approved:
        reserve(
            order_id=proposal.order_id,
            account_id=proposal.account_id,
            instrument_id=proposal.instrument.id,
            reserved=reserve_for(proposal),
        )
    return verdict


@transaction.atomic
def assess_amendment(proposal: OrderProposal, *, now: datetime) -> Verdict:
    """Judge what an open order is to become (`proposal.order_id` is its id), without what it reserves now, in the caller's transaction.

    Approved, it reserves the larger of both until `update_reservation` says what it has become. Each call is judged afresh.
    """
    lock_in_transaction(Lock.ACCOUNT_RISK, proposal.account_id)
    verdict = _judged(proposal, now=now)
    if verdict.approved:
        widen_reservation(proposal.order_id, reserve_for(proposal))
    return verdict


def _judged(proposal: OrderProposal, *, now: datetime) -> Verdict:
    in_force = _limits(proposal)
    checks = judge(proposal, _facts(proposal, in_force), in_force)
    verdict = Verdict(uuid7(), all(check.passed for check in checks), checks)
    _store(proposal, verdict)
    if verdict.first_failure is not None:
        _report(proposal, verdict.first_failure, now=now)
    return verdict


def _limits(proposal: OrderProposal) -> Limits:
    """The limits in force; a code that has no row at all gets its default first, so that nothing is ever unlimited by omission."""
    found = _find_limits(proposal)
    if any(rule.code not in found for rule in limit_rules()):
        seed_default_limits()
        found = _find_limits(proposal)
    return found


def _find_limits(proposal: OrderProposal) -> Limits:
    return selectors.limits_in_force(
        account_id=proposal.account_id, mode=str(proposal.mode), strategy=proposal.strategy, instrument_id=proposal.instrument.id
    )


def _facts(proposal: OrderProposal, in_force: Limits) -> Facts:
    exposure, held = _stable_read(proposal)
    halted = selectors.active_halt(proposal.account_id)
    return facts_of(
        exposure,
        held,
        halt_reason=halted.reason if halted else None,
        live_refusal=selectors.live_refusal(),
        orders_today=_orders_today(proposal.account_id, exposure) + proposal.entries_before,
        is_duplicate=_is_duplicate(proposal, in_force),
    )


def _stable_read(proposal: OrderProposal) -> tuple[AccountExposure, Held]:
    """Books and reservations of one moment: a fill moves value from one to the other, so read until the reservations stood still.

    If they never do, the read that saw the most reserved is used, which can only refuse too much.
    """
    before = _held(proposal)
    for _ in range(_STABLE_READ_TRIES):
        exposure = port(PortfolioView).exposure(proposal.account_id, proposal.instrument.id)
        after = _held(proposal)
        if after == before:
            break
        before = after
    return exposure, before


def _held(proposal: OrderProposal) -> Held:
    return held_by_open_orders(
        account_id=proposal.account_id,
        instrument_id=proposal.instrument.id,
        side=proposal.side,
        but_not=proposal.order_id if proposal.is_amendment else None,
    )


def _orders_today(account_id: UUID, exposure: AccountExposure) -> int:
    since = exposure.day_started_at or datetime.min.replace(tzinfo=UTC)
    return port(OrderControl).orders_since(account_id, since)


def _is_duplicate(proposal: OrderProposal, in_force: Limits) -> bool:
    """Only orders that a person enters can repeat; sessions decide each bar once, and an amendment is of the order itself."""
    seconds = in_force.get(LimitCode.DUPLICATE_ORDER)
    if not proposal.is_manual or proposal.is_amendment or proposal.is_reducing or seconds is None or not seconds.is_finite():
        return False
    return port(OrderControl).same_order_within(
        proposal.account_id, proposal.instrument.id, proposal.side, proposal.quantity, float(seconds)
    )


def _store(proposal: OrderProposal, verdict: Verdict) -> None:
    failure = verdict.first_failure
    RiskVerdict.objects.create(
        id=verdict.id,
        order_id=proposal.order_id,
        account_id=proposal.account_id,
        instrument_id=proposal.instrument.id,
        approved=verdict.approved,
        checks=[check.as_dict() for check in verdict.checks],
        first_failure=str(failure.code) if failure else "",
    )


def _report(proposal: OrderProposal, failure: CheckResult, *, now: datetime) -> None:
    record_event(
        RiskTriggered(
            account_id=proposal.account_id,
            instrument_id=proposal.instrument.id,
            symbol=proposal.instrument.symbol,
            order_id=proposal.order_id,
            code=str(failure.code),
            value=failure.value,
            limit=failure.limit,
            message=failure.message,
        ),
        occurred_at=proposal.data_at or now,
        actor=f"strategy:{proposal.strategy}" if proposal.strategy else "manual",
        subject=str(proposal.order_id),
    )
