from django.db import migrations

FORWARD = """
CREATE FUNCTION backtests_ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the trial ledger is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', HINT = 'What was tried stays counted.';
END
$$;

CREATE TRIGGER trial_entry_append_only BEFORE UPDATE OR DELETE ON backtests_trialentry
    FOR EACH ROW EXECUTE FUNCTION backtests_ledger_refuse_change();
CREATE TRIGGER trial_entry_no_truncate BEFORE TRUNCATE ON backtests_trialentry
    FOR EACH STATEMENT EXECUTE FUNCTION backtests_ledger_refuse_change();
"""

BACKWARD = """
DROP TRIGGER trial_entry_no_truncate ON backtests_trialentry;
DROP TRIGGER trial_entry_append_only ON backtests_trialentry;
DROP FUNCTION backtests_ledger_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("backtests", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
