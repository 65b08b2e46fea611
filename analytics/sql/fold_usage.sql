-- Purpose: appended rows of usage become one row a key. While its time runs that is batch -1; once
-- the quarter hour has been over for an hour, it is batch 0, and what was not counted there yet is added to the coarse
-- rows. So at every moment coarse rows + rows with batch <> 0 = all rows (docs/decisions/0013).
-- Grain: project_id, bucket, series_id, error_class.
-- One statement under the lane's lock. Index: usage_unfolded, primary key. Safe to re-run: folded rows stay.
WITH open AS MATERIALIZED (
    SELECT id AS project_id, %(now)s - interval '1 hour 15 minutes' AS since FROM accounts_project
    WHERE id %% 16 = %(lane)s),
k AS (
    SELECT DISTINCT u.project_id, u.bucket, u.series_id, u.error_class, u.bucket < o.since AS closed
    FROM usage u JOIN open o ON o.project_id = u.project_id
    WHERE u.batch <> 0 AND (u.batch > 0 OR u.bucket < o.since) AND u.project_id %% 16 = %(lane)s LIMIT %(most)s),
gone AS (
    DELETE FROM usage u USING k WHERE u.project_id = k.project_id AND u.bucket = k.bucket AND u.series_id = k.series_id
        AND u.error_class = k.error_class
        AND (u.batch <> 0 OR k.closed)
    RETURNING u.*, k.closed),
added AS (
    SELECT
        g.project_id, l.level, g.bucket, l.id AS series_id, g.error_class,
        sum(g.calls) AS calls, sum(g.duplicates) AS duplicates, sum(g.partial) AS partial,
        sum(g.unpriced) AS unpriced, sum(g.input) AS input, sum(g.cache_read) AS cache_read,
        sum(g.cache_write) AS cache_write, sum(g.cache_write_1h) AS cache_write_1h,
        sum(g.output) AS output, sum(g.reasoning) AS reasoning, sum(g.audio_input) AS audio_input,
        sum(g.audio_output) AS audio_output, sum(g.timed_output) AS timed_output,
        sum(g.timed_us) AS timed_us, sum(g.cost_input) AS cost_input,
        sum(g.cost_cache_read) AS cost_cache_read, sum(g.cost_cache_write) AS cost_cache_write,
        sum(g.cost_output) AS cost_output, sum(g.cost_other) AS cost_other,
        sum(g.cost_unsplit) AS cost_unsplit, sum(g.wasted) AS wasted,
        compact_histogram(string_agg(g.latency, ''::bytea)) AS latency,
        compact_histogram(string_agg(g.ttft, ''::bytea)) AS ttft
    FROM gone g
    JOIN series s ON s.project_id = g.project_id AND s.id = g.series_id
    CROSS JOIN LATERAL (VALUES (2, s.by_flow), (3, s.by_model)) AS l (level, id)
    WHERE g.closed AND g.batch <> 0
    GROUP BY 1, 2, 3, 4, 5),
coarse AS (
    INSERT INTO usage_coarse AS u (
        project_id, level, bucket, series_id, error_class, calls, duplicates, partial, unpriced, input,
        cache_read, cache_write, cache_write_1h, output, reasoning, audio_input, audio_output,
        timed_output, timed_us, cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other,
        cost_unsplit, wasted, latency, ttft)
    SELECT
        project_id, level, bucket, series_id, error_class, calls, duplicates, partial, unpriced, input,
        cache_read, cache_write, cache_write_1h, output, reasoning, audio_input, audio_output,
        timed_output, timed_us, cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other,
        cost_unsplit, wasted, latency, ttft
    FROM added
    ON CONFLICT (project_id, level, bucket, series_id, error_class) DO UPDATE SET
        calls = u.calls + excluded.calls,
        duplicates = u.duplicates + excluded.duplicates,
        partial = u.partial + excluded.partial,
        unpriced = u.unpriced + excluded.unpriced,
        input = coalesce(u.input + excluded.input, u.input, excluded.input),
        cache_read = coalesce(u.cache_read + excluded.cache_read, u.cache_read, excluded.cache_read),
        cache_write = coalesce(u.cache_write + excluded.cache_write, u.cache_write, excluded.cache_write),
        cache_write_1h = coalesce(
            u.cache_write_1h + excluded.cache_write_1h, u.cache_write_1h, excluded.cache_write_1h),
        output = coalesce(u.output + excluded.output, u.output, excluded.output),
        reasoning = coalesce(u.reasoning + excluded.reasoning, u.reasoning, excluded.reasoning),
        audio_input = coalesce(u.audio_input + excluded.audio_input, u.audio_input, excluded.audio_input),
        audio_output = coalesce(u.audio_output + excluded.audio_output, u.audio_output, excluded.audio_output),
        timed_output = coalesce(u.timed_output + excluded.timed_output, u.timed_output, excluded.timed_output),
        timed_us = coalesce(u.timed_us + excluded.timed_us, u.timed_us, excluded.timed_us),
        cost_input = coalesce(u.cost_input + excluded.cost_input, u.cost_input, excluded.cost_input),
        cost_cache_read = coalesce(
            u.cost_cache_read + excluded.cost_cache_read, u.cost_cache_read, excluded.cost_cache_read),
        cost_cache_write = coalesce(
            u.cost_cache_write + excluded.cost_cache_write, u.cost_cache_write, excluded.cost_cache_write),
        cost_output = coalesce(u.cost_output + excluded.cost_output, u.cost_output, excluded.cost_output),
        cost_other = coalesce(u.cost_other + excluded.cost_other, u.cost_other, excluded.cost_other),
        cost_unsplit = coalesce(u.cost_unsplit + excluded.cost_unsplit, u.cost_unsplit, excluded.cost_unsplit),
        wasted = coalesce(u.wasted + excluded.wasted, u.wasted, excluded.wasted),
        latency = compact_histogram(coalesce(u.latency || excluded.latency, u.latency, excluded.latency)),
        ttft = compact_histogram(coalesce(u.ttft || excluded.ttft, u.ttft, excluded.ttft)))
INSERT INTO usage (
    project_id, bucket, series_id, error_class, batch, calls, duplicates, partial, unpriced, input,
    cache_read, cache_write, cache_write_1h, output, reasoning, audio_input, audio_output, timed_output,
    timed_us, cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit,
    wasted, latency, ttft)
SELECT
    project_id, bucket, series_id, error_class, CASE WHEN closed THEN 0 ELSE -1 END,
    sum(calls), sum(duplicates), sum(partial), sum(unpriced), sum(input), sum(cache_read),
    sum(cache_write), sum(cache_write_1h), sum(output), sum(reasoning), sum(audio_input),
    sum(audio_output), sum(timed_output), sum(timed_us), sum(cost_input), sum(cost_cache_read),
    sum(cost_cache_write), sum(cost_output), sum(cost_other), sum(cost_unsplit), sum(wasted),
    compact_histogram(string_agg(latency, ''::bytea)), compact_histogram(string_agg(ttft, ''::bytea))
FROM gone g GROUP BY project_id, bucket, series_id, error_class, closed
HAVING sum(calls) <> 0 OR sum(duplicates) <> 0 OR EXISTS (
    SELECT FROM usage o WHERE NOT closed AND o.batch = 0
        AND o.project_id = g.project_id AND o.bucket = g.bucket AND o.series_id = g.series_id AND o.error_class = g.error_class)
