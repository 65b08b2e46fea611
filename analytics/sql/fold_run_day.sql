-- Purpose: appended rows of run_day become one row a key. While its time runs that is batch -1; once
-- the day has been over for two hours, it is batch 0, and what was not counted there yet is added to the coarse
-- rows of its day and month. So at every moment coarse rows + rows with batch <> 0 = all rows (docs/decisions/0013).
-- Grain: project_id, day, series_id.
-- One statement under the lane's lock. Index: run_day_unfolded, primary key. Safe to re-run: folded rows stay.
WITH open AS MATERIALIZED (
    SELECT id AS project_id, day_in(zone, earlier_zones, %(now)s - interval '2 hours') AS since FROM accounts_project
    WHERE id %% 16 = %(lane)s),
k AS (
    SELECT DISTINCT u.project_id, u.day, u.series_id, u.day < o.since AS closed
    FROM run_day u JOIN open o ON o.project_id = u.project_id
    WHERE u.batch <> 0 AND (u.batch > 0 OR u.day < o.since) AND u.project_id %% 16 = %(lane)s LIMIT %(most)s),
gone AS (
    DELETE FROM run_day u USING k WHERE u.project_id = k.project_id AND u.day = k.day
        AND u.series_id = k.series_id
        AND (u.batch <> 0 OR k.closed)
    RETURNING u.*, k.closed),
added AS (
    SELECT
        g.project_id, l.level, g.day, l.id AS series_id,
        sum(g.runs) AS runs, sum(g.successes) AS successes, sum(g.failures) AS failures,
        sum(g.rescued) AS rescued, sum(g.cost) AS cost, sum(g.value) AS value,
        compact_histogram(string_agg(g.duration, ''::bytea)) AS duration,
        compact_histogram(string_agg(g.cost_histogram, ''::bytea)) AS cost_histogram
    FROM gone g
    JOIN series s ON s.project_id = g.project_id AND s.id = g.series_id
    CROSS JOIN LATERAL (VALUES (1, s.coarse_id), (2, s.by_flow), (3, s.by_model)) AS l (level, id)
    WHERE g.closed AND g.batch <> 0
    GROUP BY 1, 2, 3, 4),
coarse AS (
    INSERT INTO run_coarse_day AS u (
        project_id, level, day, series_id, runs, successes, failures, rescued, cost, value, duration,
        cost_histogram)
    SELECT
        project_id, level, day, series_id, runs, successes, failures, rescued, cost, value, duration,
        cost_histogram
    FROM added
    ON CONFLICT (project_id, level, day, series_id) DO UPDATE SET
        runs = u.runs + excluded.runs,
        successes = u.successes + excluded.successes,
        failures = u.failures + excluded.failures,
        rescued = u.rescued + excluded.rescued,
        cost = coalesce(u.cost + excluded.cost, u.cost, excluded.cost),
        value = coalesce(u.value + excluded.value, u.value, excluded.value),
        duration = compact_histogram(coalesce(u.duration || excluded.duration, u.duration, excluded.duration)),
        cost_histogram = compact_histogram(
            coalesce(u.cost_histogram || excluded.cost_histogram, u.cost_histogram, excluded.cost_histogram))),
months AS (
    INSERT INTO run_coarse_month AS u (
        project_id, level, month, series_id, runs, successes, failures, rescued, cost, value, duration,
        cost_histogram)
    SELECT
        project_id, level, date_trunc('month', day::timestamp)::date, series_id,
        sum(runs), sum(successes), sum(failures), sum(rescued), sum(cost), sum(value),
        compact_histogram(string_agg(duration, ''::bytea)),
        compact_histogram(string_agg(cost_histogram, ''::bytea))
    FROM added GROUP BY 1, 2, 3, 4
    ON CONFLICT (project_id, level, month, series_id) DO UPDATE SET
        runs = u.runs + excluded.runs,
        successes = u.successes + excluded.successes,
        failures = u.failures + excluded.failures,
        rescued = u.rescued + excluded.rescued,
        cost = coalesce(u.cost + excluded.cost, u.cost, excluded.cost),
        value = coalesce(u.value + excluded.value, u.value, excluded.value),
        duration = compact_histogram(coalesce(u.duration || excluded.duration, u.duration, excluded.duration)),
        cost_histogram = compact_histogram(
            coalesce(u.cost_histogram || excluded.cost_histogram, u.cost_histogram, excluded.cost_histogram)))
INSERT INTO run_day (
    project_id, day, series_id, batch, runs, successes, failures, rescued, cost, value, duration,
    cost_histogram)
SELECT
    project_id, day, series_id, CASE WHEN closed THEN 0 ELSE -1 END,
    sum(runs), sum(successes), sum(failures), sum(rescued), sum(cost), sum(value),
    compact_histogram(string_agg(duration, ''::bytea)),
    compact_histogram(string_agg(cost_histogram, ''::bytea))
FROM gone g GROUP BY project_id, day, series_id, closed
HAVING sum(runs) <> 0 OR EXISTS (
    SELECT FROM run_day o WHERE NOT closed AND o.batch = 0
        AND o.project_id = g.project_id AND o.day = g.day AND o.series_id = g.series_id)
