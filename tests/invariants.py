"""What must hold of a running system's rows at any quiet moment, whatever was killed before."""

from __future__ import annotations

from dataclasses import dataclass

from tests.system import RunningSystem, wait_until


@dataclass(frozen=True)
class Finding:
    name: str
    value: str
    holds: bool


TRADING_DECISIONS = """
    SELECT count(*) + coalesce(sum(jsonb_array_length(jsonb_path_query_array(actions, '$.calls[*].order_id ? (@ != null)')) - 1)
        FILTER (WHERE actions ? 'calls'), 0)
    FROM strategies_decision WHERE outcome = 'TRADE' AND order_id IS NOT NULL
"""
"""Orders that decisions led to: one, or as many as an event strategy's calls brought."""
SESSION_ORDERS = "SELECT count(*) FROM orders_order WHERE origin = 'SESSION'"
DECIDED_TWICE = "SELECT count(*) FROM (SELECT session_id, bar_at FROM strategies_decision GROUP BY 1, 2 HAVING count(*) > 1) AS twice"
ORDER_WITHOUT_DECISION = """
    SELECT count(*) FROM orders_order o LEFT JOIN strategies_decision d ON d.id = o.decision_id WHERE o.origin = 'SESSION' AND d.id IS NULL
"""
SKIPPED = """
    SELECT count(*)
    FROM strategies_tradingsession s
    JOIN markets_instrument i ON i.id = s.instrument_id
    JOIN (SELECT DISTINCT instrument_id, closed_at FROM markets_candle) c ON c.instrument_id = i.id
    JOIN portfolio_account a ON a.id = s.account_id
    WHERE c.closed_at > a.opened_at AND c.closed_at <= s.last_bar_at
      AND NOT EXISTS (SELECT 1 FROM strategies_decision d WHERE d.session_id = s.id AND d.bar_at = c.closed_at)
"""
UNBALANCED = "SELECT count(*) FROM (SELECT entry_id, asset FROM portfolio_journalline GROUP BY 1, 2 HAVING sum(amount) <> 0) AS wrong"
FILLS_NOT_BOOKED = """
    SELECT count(*) FROM orders_fill f
    WHERE NOT EXISTS (SELECT 1 FROM portfolio_journalentry e WHERE e.kind = 'FILL' AND e.reference = f.id::text)
"""
SENT_TWICE = "SELECT count(*) FROM (SELECT client_order_id FROM orders_simulatedorder GROUP BY 1 HAVING count(*) > 1) AS twice"
FILLS_LOST = """
    SELECT (SELECT count(*) FROM orders_simulatedfill) - (SELECT count(*) FROM orders_fill)
"""


def settle(system: RunningSystem, *, within: float = 30.0) -> None:
    """Pause the replay and wait until every process has caught up with its bar."""
    with system.database() as cursor:
        cursor.execute("UPDATE markets_venueclock SET status = 'PAUSED' WHERE status = 'RUNNING'")
    wait_until(lambda: _is_quiet(system), within=within, what="every process to catch up with the paused bar")


def resume(system: RunningSystem) -> None:
    """Let the replay go on."""
    with system.database() as cursor:
        cursor.execute("UPDATE markets_venueclock SET status = 'RUNNING' WHERE status = 'PAUSED'")


def _is_quiet(system: RunningSystem) -> bool:
    behind = system.try_value(
        """
        SELECT (SELECT count(*) FROM strategies_tradingsession s JOIN portfolio_account a ON a.id = s.account_id
                JOIN markets_venueclock k ON k.venue_id = a.venue_id
                WHERE s.state IN ('RUNNING', 'STOPPING') AND s.last_bar_at < k.now_at)
             + (SELECT count(*) FROM orders_simulatedaccount m JOIN markets_venueclock k ON k.venue_id = m.venue_id
                JOIN portfolio_account a ON a.id = m.account_id AND a.closed_at IS NULL WHERE m.matched_through < k.now_at)
             + (SELECT count(*) FROM orders_order WHERE status IN ('PENDING', 'SENDING', 'UNKNOWN'))
             + (SELECT count(*) FROM event_log WHERE position IS NULL)
        """
    )
    return behind == 0


def check_books(system: RunningSystem) -> list[Finding]:
    """Orders against decisions, bars against decisions, fills against books. Call on a settled system."""
    orders, trades = system.value(SESSION_ORDERS), system.value(TRADING_DECISIONS)
    zero = {
        "bars decided twice": DECIDED_TWICE,
        "bars skipped": SKIPPED,
        "orders without a decision": ORDER_WITHOUT_DECISION,
        "orders sent twice": SENT_TWICE,
        "fills lost": FILLS_LOST,
        "fills not booked": FILLS_NOT_BOOKED,
        "entries not summing to zero": UNBALANCED,
    }
    findings = [Finding("orders = orders of decisions", f"{orders} = {trades}", orders == trades)]
    for name, sql in zero.items():
        count = system.value(sql)
        findings.append(Finding(name, str(count), count == 0))
    return findings


def check_commands(system: RunningSystem) -> list[Finding]:
    """The system's own auditors must agree."""
    findings = []
    for command in ("trial_balance", "verify_log", "orders_audit"):
        done = system.manage(command)
        last = (done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or ["no output"])[-1]
        findings.append(Finding(command, last[:120], done.returncode == 0))
    return findings
