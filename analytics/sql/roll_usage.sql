-- Purpose: what delta changes, appended to usage (quarter hour) and usage_day (day of the project's zone).
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
        sum(d.sign * (coalesce(d.output, 0)::bigint + coalesce(d.reasoning, 0) + coalesce(d.audio_output, 0))) FILTER (WHERE d.error_class = 0 AND d.duration_us > 0 AND d.output IS NOT NULL) AS timed_output,
        sum(d.sign * d.duration_us) FILTER (WHERE d.error_class = 0 AND d.duration_us > 0 AND d.output IS NOT NULL) AS timed_us,
        sum(d.sign * d.cost_input) AS cost_input,
        sum(d.sign * d.cost_cache_read) AS cost_cache_read,
        sum(d.sign * d.cost_cache_write) AS cost_cache_write,
        sum(d.sign * d.cost_output) AS cost_output,
        sum(d.sign * d.cost_other) AS cost_other,
        sum(d.sign * d.cost_unsplit) AS cost_unsplit,
        sum(d.sign * call_cost(d.cost_input, d.cost_cache_read, d.cost_cache_write, d.cost_output, d.cost_other, d.cost_unsplit)) FILTER (WHERE d.wasted) AS wasted,
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
    sum(q.calls), sum(q.duplicates), sum(q.partial), sum(q.unpriced), sum(q.input), sum(q.cache_read),
    sum(q.cache_write), sum(q.cache_write_1h), sum(q.output), sum(q.reasoning), sum(q.audio_input),
    sum(q.audio_output), sum(q.timed_output), sum(q.timed_us), sum(q.cost_input),
    sum(q.cost_cache_read), sum(q.cost_cache_write), sum(q.cost_output), sum(q.cost_other),
    sum(q.cost_unsplit), sum(q.wasted),
    string_agg(q.latency, ''::bytea), string_agg(q.ttft, ''::bytea)
FROM q JOIN days y ON y.project_id = q.project_id AND y.bucket = q.bucket
GROUP BY 1, 2, 3, 4
