-- Purpose: calls whose waste changed because their run failed, or no longer does: into delta with sign -1.
-- Wasted = a failed call, a repeated attempt, or a call of a failed run. Index: call_trace.
INSERT INTO delta
SELECT -1, c.* FROM run_new r
JOIN call c ON c.project_id = r.project_id AND c.trace = r.id
  AND c.started_at >= r.started_at AND c.started_at <= r.ended_at
  AND c.started_at BETWEEN %(run_lo)s AND %(run_hi)s
WHERE (r.outcome = 2 OR %(corrected)s OR EXISTS (
        SELECT FROM run_delta o WHERE o.sign = -1 AND o.outcome = 2 AND o.project_id = r.project_id AND o.id = r.id))
  AND r.series_set IS NOT NULL AND c.wasted <> (c.error_class <> 0 OR c.attempt > 1 OR r.outcome = 2)
