-- Purpose: outcome of runs that had failed calls and were told none: failure when a step's last attempt failed,
-- success (rescued) when every failed attempt was followed by one that succeeded. Index: call_trace.
WITH attempts AS (
    SELECT DISTINCT ON (c.project_id, c.trace, s.step) c.project_id, c.trace, c.error_class
    FROM run_new r
    JOIN call c ON c.project_id = r.project_id AND c.trace = r.id
      AND c.started_at >= r.started_at AND c.started_at <= r.ended_at
      AND c.started_at BETWEEN %(run_lo)s AND %(run_hi)s
    JOIN series s ON s.project_id = c.project_id AND s.id = c.series_id
    WHERE r.errors > 0 AND r.series_set IS NOT NULL AND r.trace_started_at IS NULL  -- of traces the resolver knows attempts better
    ORDER BY c.project_id, c.trace, s.step, c.started_at DESC, c.id DESC),
verdict AS (
    SELECT project_id, trace, bool_or(error_class <> 0) AS failed FROM attempts GROUP BY 1, 2)
UPDATE run_new r SET
    rescued = NOT v.failed,
    outcome = CASE WHEN r.outcome <> 0 THEN r.outcome WHEN v.failed THEN 2 ELSE 1 END
FROM verdict v WHERE v.project_id = r.project_id AND v.trace = r.id
