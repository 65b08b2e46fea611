-- Purpose: what delta changes, appended to usage (quarter hour) and usage_day (day of the project's zone).
-- total() is sum() that stays in its type (migrations/totals.sql).
-- Grain: project, bucket, series, error class, batch. Histograms are concatenated here and folded by compaction.
-- Quarter hours older than %(kept_from)s are not kept. Safe to re-run only with another delta: it adds.
WITH q AS MATERIALIZED (
    SELECT
        d.project_id, date_bin('15 minutes', d.started_at, timestamptz '2000-01-01Z') AS bucket,
        d.series_id, d.error_class,
        sum(d.sign) AS calls,
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
        total(d.sign * call_cost(d.cost_input, d.cost_cache_read, d.cost_cache_write, d.cost_output, d.cost_other, d.cost_unsplit)) FILTER (WHERE d.wasted) AS wasted,
        string_agg(int2send(log_bucket(d.duration_us::float8 / 1000)) || int4send(d.sign), ''::bytea) FILTER (WHERE d.duration_us IS NOT NULL) AS latency,
        string_agg(int2send(log_bucket(d.ttft_us::float8 / 1000)) || int4send(d.sign), ''::bytea) FILTER (WHERE d.ttft_us IS NOT NULL) AS ttft
    FROM delta d GROUP BY 1, 2, 3, 4),
days AS MATERIALIZED (
    SELECT k.project_id, k.bucket, day_in(p.zone, p.earlier_zones, k.bucket) AS day
    FROM (SELECT DISTINCT project_id, bucket FROM q) AS k JOIN accounts_project p ON p.id = k.project_id),
quarters AS (
    INSERT INTO usage (
        project_id, bucket, series_id, error_class, batch,
        calls, duplicates, partial, unpriced, input, cache_read, cache_write, cache_write_1h, output,
        reasoning, audio_input, audio_output, timed_output, timed_us, cost_input, cost_cache_read,
        cost_cache_write, cost_output, cost_other, cost_unsplit, wasted, latency, ttft)
    SELECT
        project_id, bucket, series_id, error_class, %(batch)s,
        calls, duplicates, partial, unpriced, input, cache_read, cache_write, cache_write_1h, output,
        reasoning, audio_input, audio_output, timed_output, timed_us, cost_input, cost_cache_read,
        cost_cache_write, cost_output, cost_other, cost_unsplit, wasted, latency, ttft
    FROM q WHERE bucket >= %(kept_from)s)
INSERT INTO usage_day (
    project_id, day, series_id, error_class, batch,
    calls, duplicates, partial, unpriced, input, cache_read, cache_write, cache_write_1h, output,
    reasoning, audio_input, audio_output, timed_output, timed_us, cost_input, cost_cache_read,
    cost_cache_write, cost_output, cost_other, cost_unsplit, wasted, latency, ttft)
SELECT
    q.project_id, y.day, q.series_id, q.error_class, %(batch)s,
    total(q.calls), total(q.duplicates), total(q.partial), total(q.unpriced), total(q.input), total(q.cache_read),
    total(q.cache_write), total(q.cache_write_1h), total(q.output), total(q.reasoning), total(q.audio_input),
    total(q.audio_output), total(q.timed_output), total(q.timed_us), total(q.cost_input),
    total(q.cost_cache_read), total(q.cost_cache_write), total(q.cost_output), total(q.cost_other),
    total(q.cost_unsplit), total(q.wasted),
    string_agg(q.latency, ''::bytea), string_agg(q.ttft, ''::bytea)
FROM q JOIN days y ON y.project_id = q.project_id AND y.bucket = q.bucket
GROUP BY 1, 2, 3, 4
