-- Purpose: appended rows of usage_day become one row a key (batch 0). Grain: project_id, day, series_id, error_class.
-- One statement under the lane's lock. Index: usage_day_unfolded, primary key. Safe to re-run: folded rows stay.
WITH k AS (
    SELECT DISTINCT project_id, day, series_id, error_class FROM usage_day
    WHERE batch <> 0 AND project_id %% 16 = %(lane)s LIMIT %(most)s),
gone AS (
    DELETE FROM usage_day u USING k WHERE u.project_id = k.project_id AND u.day = k.day AND u.series_id = k.series_id AND u.error_class = k.error_class
    RETURNING u.*)
INSERT INTO usage_day (
    project_id, day, series_id, error_class, batch, calls, duplicates, partial, unpriced, input,
    cache_read, cache_write, cache_write_1h, output, reasoning, audio_input, audio_output, timed_output,
    timed_us, cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit,
    wasted, latency, ttft)
SELECT
    project_id, day, series_id, error_class, 0, sum(calls), sum(duplicates), sum(partial),
    sum(unpriced), sum(input), sum(cache_read), sum(cache_write), sum(cache_write_1h), sum(output),
    sum(reasoning), sum(audio_input), sum(audio_output), sum(timed_output), sum(timed_us),
    sum(cost_input), sum(cost_cache_read), sum(cost_cache_write), sum(cost_output), sum(cost_other),
    sum(cost_unsplit), sum(wasted), compact_histogram(string_agg(latency, ''::bytea)),
    compact_histogram(string_agg(ttft, ''::bytea))
FROM gone GROUP BY project_id, day, series_id, error_class
HAVING sum(calls) <> 0 OR sum(duplicates) <> 0
