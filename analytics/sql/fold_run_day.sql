-- Purpose: appended rows of run_day become one row a key (batch 0). Grain: project_id, day, series_id.
-- One statement under the lane's lock. Index: run_day_unfolded, primary key. Safe to re-run: folded rows stay.
WITH k AS (
    SELECT DISTINCT project_id, day, series_id FROM run_day
    WHERE batch <> 0 AND project_id %% 16 = %(lane)s LIMIT %(most)s),
gone AS (
    DELETE FROM run_day u USING k WHERE u.project_id = k.project_id AND u.day = k.day AND u.series_id = k.series_id
    RETURNING u.*)
INSERT INTO run_day (
    project_id, day, series_id, batch, runs, successes, failures, rescued, cost, value, duration,
    cost_histogram)
SELECT
    project_id, day, series_id, 0, sum(runs), sum(successes), sum(failures), sum(rescued), sum(cost),
    sum(value), compact_histogram(string_agg(duration, ''::bytea)),
    compact_histogram(string_agg(cost_histogram, ''::bytea))
FROM gone GROUP BY project_id, day, series_id
HAVING sum(runs) <> 0
