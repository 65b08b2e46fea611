-- Purpose: outcome of runs that had failed calls and were told none: failure when a step's last attempt failed,
-- success (rescued) when every failed attempt was followed by one that succeeded. Index: call_trace.
-- LATERAL and OFFSET 0: see gather_runs.sql.
WITH tried AS MATERIALIZED (
    SELECT c.project_id, c.trace, c.series_id, c.error_class, c.started_at, c.id
    FROM run_new r
    CROSS JOIN LATERAL (
        SELECT * FROM call AS found
        WHERE found.project_id = r.project_id AND found.trace = r.id
          AND found.started_at >= r.started_at AND found.started_at <= r.ended_at
          AND found.started_at BETWEEN %(run_lo)s AND %(run_hi)s
        OFFSET 0) AS c
    WHERE r.errors > 0 AND r.series_set IS NOT NULL AND r.trace_started_at IS NULL),  -- of traces the resolver knows attempts better
attempts AS (
    SELECT DISTINCT ON (c.project_id, c.trace, s.step) c.project_id, c.trace, c.error_class
    FROM tried c
    JOIN series s ON s.project_id = c.project_id AND s.id = c.series_id
    ORDER BY c.project_id, c.trace, s.step, c.started_at DESC, c.id DESC),
verdict AS (
    SELECT project_id, trace, bool_or(error_class <> 0) AS failed FROM attempts GROUP BY 1, 2)
UPDATE run_new r SET
    rescued = NOT v.failed,
    outcome = CASE WHEN r.outcome <> 0 THEN r.outcome WHEN v.failed THEN 2 ELSE 1 END
FROM verdict v WHERE v.project_id = r.project_id AND v.trace = r.id
