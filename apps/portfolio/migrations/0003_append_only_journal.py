from django.db import migrations

FORWARD = """
CREATE FUNCTION portfolio_journal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', HINT = 'Book a new entry that corrects the old one.';
END
$$;

CREATE TRIGGER journal_entry_append_only BEFORE UPDATE OR DELETE ON portfolio_journalentry
    FOR EACH ROW EXECUTE FUNCTION portfolio_journal_refuse_change();
CREATE TRIGGER journal_entry_no_truncate BEFORE TRUNCATE ON portfolio_journalentry
    FOR EACH STATEMENT EXECUTE FUNCTION portfolio_journal_refuse_change();
CREATE TRIGGER journal_line_append_only BEFORE UPDATE OR DELETE ON portfolio_journalline
    FOR EACH ROW EXECUTE FUNCTION portfolio_journal_refuse_change();
CREATE TRIGGER journal_line_no_truncate BEFORE TRUNCATE ON portfolio_journalline
    FOR EACH STATEMENT EXECUTE FUNCTION portfolio_journal_refuse_change();

CREATE FUNCTION portfolio_journal_line_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    total numeric;
BEGIN
    SELECT sum(amount) INTO total FROM portfolio_journalline WHERE entry_id = NEW.entry_id AND asset = NEW.asset;
    IF total IS DISTINCT FROM 0 THEN
        RAISE EXCEPTION 'journal entry % does not balance: its % lines sum to %', NEW.entry_id, NEW.asset, total
            USING ERRCODE = 'integrity_constraint_violation', HINT = 'Every entry sums to zero per asset.';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION portfolio_journal_entry_has_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM portfolio_journalline WHERE entry_id = NEW.id) THEN
        RAISE EXCEPTION 'journal entry % has no lines', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER journal_line_balances AFTER INSERT ON portfolio_journalline
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION portfolio_journal_line_balances();
CREATE CONSTRAINT TRIGGER journal_entry_has_lines AFTER INSERT ON portfolio_journalentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION portfolio_journal_entry_has_lines();
"""

BACKWARD = """
DROP TRIGGER journal_entry_has_lines ON portfolio_journalentry;
DROP TRIGGER journal_line_balances ON portfolio_journalline;
DROP TRIGGER journal_line_no_truncate ON portfolio_journalline;
DROP TRIGGER journal_line_append_only ON portfolio_journalline;
DROP TRIGGER journal_entry_no_truncate ON portfolio_journalentry;
DROP TRIGGER journal_entry_append_only ON portfolio_journalentry;
DROP FUNCTION portfolio_journal_entry_has_lines();
DROP FUNCTION portfolio_journal_line_balances();
DROP FUNCTION portfolio_journal_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("portfolio", "0002_cash_balances_and_round_trips"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
