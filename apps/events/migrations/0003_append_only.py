from django.db import migrations

FORWARD = """
CREATE FUNCTION event_log_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    placed event_log%ROWTYPE;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.position IS NULL AND OLD.hash IS NULL AND NEW.position IS NOT NULL AND NEW.hash IS NOT NULL THEN
            placed := NEW;
            placed.position := NULL;
            placed.hash := NULL;
            IF NOT (placed *<> OLD) THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION 'event_log is append-only: event % (%) cannot be changed', OLD.id, OLD.event_type
            USING ERRCODE = 'integrity_constraint_violation',
                  HINT = 'Only the sealer may place an unsealed event, once, and nothing else of it may change. Record a new event instead.';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'event_log is append-only: event % (%) cannot be deleted', OLD.id, OLD.event_type
            USING ERRCODE = 'integrity_constraint_violation', HINT = 'Record a new event that says what has changed.';
    END IF;
    RAISE EXCEPTION 'event_log is append-only: it cannot be truncated'
        USING ERRCODE = 'integrity_constraint_violation', HINT = 'A new installation starts with a new database.';
END
$$;

CREATE TRIGGER event_log_append_only BEFORE UPDATE OR DELETE ON event_log
    FOR EACH ROW EXECUTE FUNCTION event_log_refuse_change();
CREATE TRIGGER event_log_no_truncate BEFORE TRUNCATE ON event_log
    FOR EACH STATEMENT EXECUTE FUNCTION event_log_refuse_change();
"""

BACKWARD = """
DROP TRIGGER event_log_no_truncate ON event_log;
DROP TRIGGER event_log_append_only ON event_log;
DROP FUNCTION event_log_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("events", "0002_handler_retry"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
