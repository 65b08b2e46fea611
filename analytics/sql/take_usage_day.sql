-- Purpose: a day of a project leaves usage_coarse_day, and what it had added leaves its month: it is rolled up again.
-- Under the lane's lock. Index: primary keys. Safe to re-run: the second time nothing is there.
WITH gone AS (
    DELETE FROM usage_coarse_day WHERE project_id = %(project)s AND level = ANY('{1,2,3}') AND day = %(day)s RETURNING *)
INSERT INTO usage_coarse_month AS u (
    project_id, level, month, series_id, error_class, calls, duplicates, partial, unpriced, input,
    cache_read, cache_write, cache_write_1h, output, reasoning, audio_input, audio_output, timed_output,
    timed_us, cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit,
    wasted, latency, ttft)
SELECT
    project_id, level, date_trunc('month', day::timestamp)::date, series_id, error_class,
    -calls, -duplicates, -partial, -unpriced, -input, -cache_read, -cache_write, -cache_write_1h, -output,
    -reasoning, -audio_input, -audio_output, -timed_output, -timed_us, -cost_input, -cost_cache_read,
    -cost_cache_write, -cost_output, -cost_other, -cost_unsplit, -wasted, negate_histogram(latency),
    negate_histogram(ttft)
FROM gone
    ON CONFLICT (project_id, level, month, series_id, error_class) DO UPDATE SET
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
        ttft = compact_histogram(coalesce(u.ttft || excluded.ttft, u.ttft, excluded.ttft))
