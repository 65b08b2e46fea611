-- Purpose: the three slowest (kind 1) and costliest (kind 2) runs that this load brought, of each quarter hour,
-- environment and flow. Compaction keeps the best five. Safe to re-run.
-- A decimal becomes a float by way of its text: only those that are left do.
-- First the best of each series, by numbers; the few that are left are compared within their flow.
WITH runs AS MATERIALIZED (
    SELECT project_id, date_bin('15 minutes', started_at, timestamptz '2000-01-01Z') AS bucket, started_at, id,
        series_id, duration_us AS duration, cost FROM run_new
    UNION ALL
    SELECT project_id, date_bin('15 minutes', started_at, timestamptz '2000-01-01Z'), started_at, id, series_id,
        duration_us, call_cost(cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit)
    FROM delta WHERE trace IS NULL AND sign = 1),
best AS (
    SELECT * FROM (
        SELECT 1 AS kind, duration::float8 AS value, project_id, bucket, started_at, id, series_id,
            row_number() OVER (PARTITION BY project_id, bucket, series_id ORDER BY duration DESC) AS place
        FROM runs WHERE duration > 0) AS slow WHERE place <= 3
    UNION ALL
    SELECT * FROM (
        SELECT 2, cost::float8, project_id, bucket, started_at, id, series_id,
            row_number() OVER (PARTITION BY project_id, bucket, series_id ORDER BY cost DESC) AS place
        FROM runs WHERE cost > 0) AS dear WHERE place <= 3),
ranked AS (
    SELECT b.project_id, b.bucket, s.environment, s.flow_id, b.kind, b.id, b.value, b.started_at,
        row_number() OVER (
            PARTITION BY b.project_id, b.bucket, s.environment, s.flow_id, b.kind
            ORDER BY b.value DESC, b.id) AS place
    FROM best b JOIN series s ON s.project_id = b.project_id AND s.id = b.series_id)
INSERT INTO exemplar (project_id, bucket, environment, flow_id, kind, run, value, started_at)
SELECT project_id, bucket, environment, flow_id, kind, id, value, started_at FROM ranked WHERE place <= 3
ON CONFLICT (project_id, bucket, environment, flow_id, kind, run)
DO UPDATE SET value = excluded.value, started_at = excluded.started_at
