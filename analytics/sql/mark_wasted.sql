-- Purpose: the calls that find_wasted.sql found change their mark, and enter delta with sign +1.
-- Only its own rows match: of any other call in delta with sign -1 the mark is already right.
WITH marked AS (
    UPDATE call c SET wasted = NOT c.wasted
    FROM run_new r
    WHERE c.project_id = r.project_id AND c.trace = r.id
      AND c.started_at >= r.started_at AND c.started_at <= r.ended_at
      AND c.started_at BETWEEN %(run_lo)s AND %(run_hi)s
      AND (r.outcome = 2 OR %(corrected)s OR EXISTS (
        SELECT FROM run_delta o WHERE o.sign = -1 AND o.outcome = 2 AND o.project_id = r.project_id AND o.id = r.id))
      AND r.series_set IS NOT NULL AND c.wasted <> (c.error_class <> 0 OR c.attempt > 1 OR r.outcome = 2)
    RETURNING c.*)
INSERT INTO delta SELECT 1, marked.* FROM marked
