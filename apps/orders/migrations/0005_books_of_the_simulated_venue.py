"""What the simulated venue keeps of its own now: the order of acceptance, positions and cash, made from its orders and fills."""

from django.db import migrations, models

FORWARD = """
UPDATE orders_simulatedorder SET acceptance = venue_order_id, active_at = accepted_at;
UPDATE orders_simulatedaccount AS account SET
    cash_flow = traded.flow, traded_value = traded.value
FROM (
    SELECT f.account_id, sum(CASE WHEN o.side = 'SELL' THEN 1 ELSE -1 END * f.price * f.quantity * i.multiplier - f.fee) AS flow,
           sum(f.price * f.quantity * i.multiplier) AS value
    FROM orders_simulatedfill f
    JOIN orders_simulatedorder o ON o.venue_order_id = f.order_id
    JOIN markets_instrument i ON i.id = o.instrument_id
    GROUP BY f.account_id
) AS traded
WHERE traded.account_id = account.account_id;
UPDATE orders_simulatedaccount AS account SET next_acceptance = COALESCE(
    (SELECT max(venue_order_id) + 1 FROM orders_simulatedorder o WHERE o.account_id = account.account_id), 1);
INSERT INTO orders_simulatedposition (account_id, instrument_id, quantity)
SELECT account_id, instrument_id, sum(CASE WHEN side = 'BUY' THEN filled ELSE -filled END)
FROM orders_simulatedorder GROUP BY account_id, instrument_id HAVING sum(CASE WHEN side = 'BUY' THEN filled ELSE -filled END) <> 0;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_engine_orders")]
    operations = [
        migrations.AlterField(
            model_name="order",
            name="origin",
            field=models.CharField(
                choices=[("SESSION", "SESSION"), ("MANUAL", "MANUAL"), ("HALT", "HALT"), ("VENUE", "VENUE")], max_length=8
            ),
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
