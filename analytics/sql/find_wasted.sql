-- Purpose: calls whose waste changed because their run failed, or no longer does: into delta with sign -1.
-- Wasted = a failed call, a repeated attempt, or a call of a failed run. Index: call_trace.
-- LATERAL and OFFSET 0: see gather_runs.sql.
INSERT INTO delta
SELECT -1, c.* FROM run_new r
CROSS JOIN LATERAL (
    SELECT * FROM call AS found
    WHERE found.project_id = r.project_id AND found.trace = r.id
      AND found.started_at >= r.started_at AND found.started_at <= r.ended_at
      AND found.started_at BETWEEN %(run_lo)s AND %(run_hi)s
    OFFSET 0) AS c
WHERE (r.outcome = 2 OR %(corrected)s OR EXISTS (
        SELECT FROM run_delta o WHERE o.sign = -1 AND o.outcome = 2 AND o.project_id = r.project_id AND o.id = r.id))
  AND r.series_set IS NOT NULL AND c.wasted <> (c.error_class <> 0 OR c.attempt > 1 OR r.outcome = 2)
