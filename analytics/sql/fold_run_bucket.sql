-- Purpose: appended rows of run_bucket become one row a key. While its time runs that is batch -1; once
-- the quarter hour has been over for an hour, it is batch 0, and what was not counted there yet is added to the coarse
-- rows. So at every moment coarse rows + rows with batch <> 0 = all rows (docs/decisions/0013).
-- Grain: project_id, bucket, series_id.
-- One statement under the lane's lock. Index: run_bucket_unfolded, primary key. Safe to re-run: folded rows stay.
WITH open AS MATERIALIZED (
    SELECT id AS project_id, %(now)s - interval '1 hour 15 minutes' AS since FROM accounts_project
    WHERE id %% 16 = %(lane)s),
k AS (
    SELECT DISTINCT u.project_id, u.bucket, u.series_id, u.bucket < o.since AS closed
    FROM run_bucket u JOIN open o ON o.project_id = u.project_id
    WHERE u.batch <> 0 AND (u.batch > 0 OR u.bucket < o.since) AND u.project_id %% 16 = %(lane)s LIMIT %(most)s),
gone AS (
    DELETE FROM run_bucket u USING k WHERE u.project_id = k.project_id AND u.bucket = k.bucket
        AND u.series_id = k.series_id
        AND (u.batch <> 0 OR k.closed)
    RETURNING u.*, k.closed),
added AS (
    SELECT
        g.project_id, l.level, g.bucket, l.id AS series_id,
        sum(g.runs) AS runs, sum(g.successes) AS successes, sum(g.failures) AS failures,
        sum(g.rescued) AS rescued, sum(g.cost) AS cost, sum(g.value) AS value,
        compact_histogram(string_agg(g.duration, ''::bytea)) AS duration,
        compact_histogram(string_agg(g.cost_histogram, ''::bytea)) AS cost_histogram
    FROM gone g
    JOIN series s ON s.project_id = g.project_id AND s.id = g.series_id
    CROSS JOIN LATERAL (VALUES (2, s.by_flow), (3, s.by_model)) AS l (level, id)
    WHERE g.closed AND g.batch <> 0
    GROUP BY 1, 2, 3, 4),
coarse AS (
    INSERT INTO run_coarse AS u (
        project_id, level, bucket, series_id, runs, successes, failures, rescued, cost, value, duration,
        cost_histogram)
    SELECT
        project_id, level, bucket, series_id, runs, successes, failures, rescued, cost, value, duration,
        cost_histogram
    FROM added
    ON CONFLICT (project_id, level, bucket, series_id) DO UPDATE SET
        runs = u.runs + excluded.runs,
        successes = u.successes + excluded.successes,
        failures = u.failures + excluded.failures,
        rescued = u.rescued + excluded.rescued,
        cost = coalesce(u.cost + excluded.cost, u.cost, excluded.cost),
        value = coalesce(u.value + excluded.value, u.value, excluded.value),
        duration = compact_histogram(coalesce(u.duration || excluded.duration, u.duration, excluded.duration)),
        cost_histogram = compact_histogram(
            coalesce(u.cost_histogram || excluded.cost_histogram, u.cost_histogram, excluded.cost_histogram)))
INSERT INTO run_bucket (
    project_id, bucket, series_id, batch, runs, successes, failures, rescued, cost, value, duration,
    cost_histogram)
SELECT
    project_id, bucket, series_id, CASE WHEN closed THEN 0 ELSE -1 END,
    sum(runs), sum(successes), sum(failures), sum(rescued), sum(cost), sum(value),
    compact_histogram(string_agg(duration, ''::bytea)),
    compact_histogram(string_agg(cost_histogram, ''::bytea))
FROM gone g GROUP BY project_id, bucket, series_id, closed
HAVING sum(runs) <> 0 OR EXISTS (
    SELECT FROM run_bucket o WHERE NOT closed AND o.batch = 0
        AND o.project_id = g.project_id AND o.bucket = g.bucket AND o.series_id = g.series_id)
