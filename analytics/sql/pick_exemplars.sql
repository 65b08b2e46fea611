-- Purpose: the three slowest (kind 1) and costliest (kind 2) runs that this load brought, of each quarter hour,
-- environment and flow. Compaction keeps the best five. Safe to re-run.
WITH runs AS (
    SELECT project_id, started_at, id, series_id, duration_us, cost FROM run_new
    UNION ALL
    SELECT project_id, started_at, id, series_id, duration_us,
        call_cost(cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit)
    FROM delta WHERE trace IS NULL AND sign = 1),
ranked AS (
    SELECT r.project_id, date_bin('15 minutes', r.started_at, timestamptz '2000-01-01Z') AS bucket, s.environment,
        s.flow_id, k.kind, r.id, k.value, r.started_at,
        row_number() OVER (
            PARTITION BY r.project_id, date_bin('15 minutes', r.started_at, timestamptz '2000-01-01Z'), s.environment,
            s.flow_id, k.kind ORDER BY k.value DESC, r.id) AS place
    FROM runs r JOIN series s ON s.project_id = r.project_id AND s.id = r.series_id
    CROSS JOIN LATERAL (VALUES (1, r.duration_us::double precision), (2, r.cost::double precision)) AS k(kind, value)
    WHERE k.value > 0)
INSERT INTO exemplar (project_id, bucket, environment, flow_id, kind, run, value, started_at)
SELECT project_id, bucket, environment, flow_id, kind, id, value, started_at FROM ranked WHERE place <= 3
ON CONFLICT (project_id, bucket, environment, flow_id, kind, run)
DO UPDATE SET value = excluded.value, started_at = excluded.started_at
