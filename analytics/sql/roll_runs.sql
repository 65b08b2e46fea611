-- Purpose: what run_delta and calls without a trace (each a run of its own) change, appended to run_bucket and run_day.
-- total() is sum() that stays in its type (migrations/totals.sql).
-- Grain: project, quarter hour of the run's start, run series, batch.
WITH changed AS (
    SELECT sign, project_id, started_at, series_id, outcome, rescued, cost, outcome_value, duration_us FROM run_delta
    UNION ALL
    SELECT sign, project_id, started_at, series_id,
        CASE WHEN d.outcome THEN 1 WHEN NOT d.outcome OR error_class <> 0 THEN 2 ELSE 0 END, false,
        call_cost(cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit),
        outcome_value, duration_us
    FROM delta d WHERE trace IS NULL),
q AS MATERIALIZED (
    SELECT
        project_id, date_bin('15 minutes', started_at, timestamptz '2000-01-01Z') AS bucket, series_id,
        sum(sign) AS runs, coalesce(sum(sign) FILTER (WHERE outcome = 1), 0) AS successes,
        coalesce(sum(sign) FILTER (WHERE outcome = 2), 0) AS failures,
        coalesce(sum(sign) FILTER (WHERE rescued), 0) AS rescued,
        total(CASE WHEN sign = 1 THEN cost ELSE -cost END) AS cost, total(sign * outcome_value) AS value,
        string_agg(int2send(log_bucket(duration_us::float8 / 1000)) || int4send(sign), ''::bytea)
            FILTER (WHERE duration_us IS NOT NULL) AS duration,
        string_agg(int2send(log_bucket(cost::double precision)) || int4send(sign), ''::bytea)
            FILTER (WHERE cost IS NOT NULL) AS cost_histogram
    FROM changed GROUP BY 1, 2, 3),
days AS MATERIALIZED (
    SELECT k.project_id, k.bucket, day_in(p.zone, p.earlier_zones, k.bucket) AS day
    FROM (SELECT DISTINCT project_id, bucket FROM q) AS k JOIN accounts_project p ON p.id = k.project_id),
quarters AS (
    INSERT INTO run_bucket (
        project_id, bucket, series_id, batch, runs, successes, failures, rescued, cost, value, duration, cost_histogram)
    SELECT
        project_id, bucket, series_id, %(batch)s, runs, successes, failures, rescued, cost, value, duration,
        cost_histogram
    FROM q WHERE bucket >= %(kept_from)s)
INSERT INTO run_day (
    project_id, day, series_id, batch, runs, successes, failures, rescued, cost, value, duration, cost_histogram)
SELECT
    q.project_id, y.day, q.series_id, %(batch)s, total(q.runs), total(q.successes),
    total(q.failures), total(q.rescued), total(q.cost), total(q.value), string_agg(q.duration, ''::bytea),
    string_agg(q.cost_histogram, ''::bytea)
FROM q JOIN days y ON y.project_id = q.project_id AND y.bucket = q.bucket
GROUP BY 1, 2, 3
