-- Purpose: touched runs as they were: out of run, into run_delta with sign -1. Index: run_id.
-- A run ends where 48 hours bring no call; a call between two of them makes them one. Longer than 40 days: another run.
WITH old AS (
    DELETE FROM run r USING touched t
    WHERE r.project_id = t.project_id AND r.id = t.trace
      AND r.started_at <= t.hi AND r.ended_at >= t.lo
      AND r.first_day >= (%(lo)s::timestamptz - interval '40 days')::date
      AND r.first_day <= (%(hi)s::timestamptz + interval '3 days')::date
    RETURNING r.*)
INSERT INTO run_delta SELECT -1, old.* FROM old
