-- Purpose: the calls that find_wasted.sql found change their mark, and enter delta with sign +1.
-- Only its own rows match: of any other call in delta with sign -1 the mark is already right.
-- LATERAL and OFFSET 0: see gather_runs.sql.
WITH wrong AS MATERIALIZED (
    SELECT c.project_id, c.started_at, c.id FROM run_new r
    CROSS JOIN LATERAL (
        SELECT * FROM call AS found
        WHERE found.project_id = r.project_id AND found.trace = r.id
          AND found.started_at >= r.started_at AND found.started_at <= r.ended_at
          AND found.started_at BETWEEN %(run_lo)s AND %(run_hi)s
        OFFSET 0) AS c
    WHERE (r.outcome = 2 OR %(corrected)s OR EXISTS (
        SELECT FROM run_delta o WHERE o.sign = -1 AND o.outcome = 2 AND o.project_id = r.project_id AND o.id = r.id))
      AND r.series_set IS NOT NULL AND c.wasted <> (c.error_class <> 0 OR c.attempt > 1 OR r.outcome = 2)),
marked AS (
    UPDATE call c SET wasted = NOT c.wasted
    FROM wrong w
    WHERE c.project_id = w.project_id AND c.started_at = w.started_at AND c.id = w.id
      AND c.started_at BETWEEN %(run_lo)s AND %(run_hi)s
    RETURNING c.*)
INSERT INTO delta SELECT 1, marked.* FROM marked
