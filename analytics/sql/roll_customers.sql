-- Purpose: what delta changes per customer, appended to customer_bucket and customer_day; customer 0 = none named.
-- total() is sum() that stays in its type (migrations/totals.sql).
-- Grain: project, bucket, customer, coarse series (environment, flow, provider, model), batch.
WITH q AS MATERIALIZED (
    SELECT
        d.project_id, date_bin('15 minutes', d.started_at, timestamptz '2000-01-01Z') AS bucket,
        coalesce(d.customer_id, 0) AS customer_id, s.coarse_id AS series_id,
        sum(d.sign) AS calls,
        coalesce(sum(d.sign) FILTER (WHERE d.error_class <> 0), 0) AS errors,
        sum(d.sign::int * d.duplicates) AS duplicates,
        coalesce(sum(d.sign) FILTER (WHERE d.cost_status IN (2, 7)), 0) AS partial,
        coalesce(sum(d.sign) FILTER (WHERE d.cost_status IN (3, 4, 5)), 0) AS unpriced,
        sum(d.sign * d.input) AS input,
        sum(d.sign * d.cache_read) AS cache_read,
        sum(d.sign * d.cache_write) AS cache_write,
        sum(d.sign * d.cache_write_1h) AS cache_write_1h,
        sum(d.sign * d.output) AS output,
        sum(d.sign * d.reasoning) AS reasoning,
        sum(d.sign * d.audio_input) AS audio_input,
        sum(d.sign * d.audio_output) AS audio_output,
        total(d.sign * (coalesce(d.output, 0)::bigint + coalesce(d.reasoning, 0) + coalesce(d.audio_output, 0))) FILTER (WHERE d.error_class = 0 AND d.duration_us > 0 AND d.output IS NOT NULL) AS timed_output,
        total(d.sign * d.duration_us) FILTER (WHERE d.error_class = 0 AND d.duration_us > 0 AND d.output IS NOT NULL) AS timed_us,
        total(CASE WHEN d.sign = 1 THEN d.cost_input ELSE -d.cost_input END) AS cost_input,
        total(CASE WHEN d.sign = 1 THEN d.cost_cache_read ELSE -d.cost_cache_read END) AS cost_cache_read,
        total(CASE WHEN d.sign = 1 THEN d.cost_cache_write ELSE -d.cost_cache_write END) AS cost_cache_write,
        total(CASE WHEN d.sign = 1 THEN d.cost_output ELSE -d.cost_output END) AS cost_output,
        total(CASE WHEN d.sign = 1 THEN d.cost_other ELSE -d.cost_other END) AS cost_other,
        total(CASE WHEN d.sign = 1 THEN d.cost_unsplit ELSE -d.cost_unsplit END) AS cost_unsplit,
        total(d.sign * call_cost(d.cost_input, d.cost_cache_read, d.cost_cache_write, d.cost_output, d.cost_other, d.cost_unsplit)) FILTER (WHERE d.wasted) AS wasted
    FROM delta d JOIN series s ON s.project_id = d.project_id AND s.id = d.series_id
    GROUP BY 1, 2, 3, 4),
days AS MATERIALIZED (
    SELECT k.project_id, k.bucket, day_in(p.zone, p.earlier_zones, k.bucket) AS day
    FROM (SELECT DISTINCT project_id, bucket FROM q) AS k JOIN accounts_project p ON p.id = k.project_id),
quarters AS (
    INSERT INTO customer_bucket (
        project_id, bucket, customer_id, series_id, batch,
        calls, errors, duplicates, partial, unpriced, input, cache_read, cache_write, cache_write_1h,
        output, reasoning, audio_input, audio_output, timed_output, timed_us, cost_input, cost_cache_read,
        cost_cache_write, cost_output, cost_other, cost_unsplit, wasted)
    SELECT
        project_id, bucket, customer_id, series_id, %(batch)s,
        calls, errors, duplicates, partial, unpriced, input, cache_read, cache_write, cache_write_1h,
        output, reasoning, audio_input, audio_output, timed_output, timed_us, cost_input, cost_cache_read,
        cost_cache_write, cost_output, cost_other, cost_unsplit, wasted
    FROM q WHERE bucket >= %(kept_from)s)
INSERT INTO customer_day (
    project_id, day, customer_id, series_id, batch,
    calls, errors, duplicates, partial, unpriced, input, cache_read, cache_write, cache_write_1h,
    output, reasoning, audio_input, audio_output, timed_output, timed_us, cost_input, cost_cache_read,
    cost_cache_write, cost_output, cost_other, cost_unsplit, wasted)
SELECT
    q.project_id, y.day, q.customer_id, q.series_id, %(batch)s,
    total(q.calls), total(q.errors), total(q.duplicates), total(q.partial), total(q.unpriced), total(q.input),
    total(q.cache_read), total(q.cache_write), total(q.cache_write_1h), total(q.output), total(q.reasoning),
    total(q.audio_input), total(q.audio_output), total(q.timed_output), total(q.timed_us), total(q.cost_input),
    total(q.cost_cache_read), total(q.cost_cache_write), total(q.cost_output), total(q.cost_other),
    total(q.cost_unsplit), total(q.wasted)
FROM q JOIN days y ON y.project_id = q.project_id AND y.bucket = q.bucket
GROUP BY 1, 2, 3, 4
