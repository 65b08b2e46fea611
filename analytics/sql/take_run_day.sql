-- Purpose: a day of a project leaves run_coarse_day, and what it had added leaves its month: it is rolled up again.
-- Under the lane's lock. Index: primary keys. Safe to re-run: the second time nothing is there.
WITH gone AS (
    DELETE FROM run_coarse_day WHERE project_id = %(project)s AND level = ANY('{1,2,3}') AND day = %(day)s RETURNING *)
INSERT INTO run_coarse_month AS u (
    project_id, level, month, series_id, runs, successes, failures, rescued, cost, value, duration,
    cost_histogram)
SELECT
    project_id, level, date_trunc('month', day::timestamp)::date, series_id,
    -runs, -successes, -failures, -rescued, -cost, -value, negate_histogram(duration),
    negate_histogram(cost_histogram)
FROM gone
    ON CONFLICT (project_id, level, month, series_id) DO UPDATE SET
        runs = u.runs + excluded.runs,
        successes = u.successes + excluded.successes,
        failures = u.failures + excluded.failures,
        rescued = u.rescued + excluded.rescued,
        cost = coalesce(u.cost + excluded.cost, u.cost, excluded.cost),
        value = coalesce(u.value + excluded.value, u.value, excluded.value),
        duration = compact_histogram(coalesce(u.duration || excluded.duration, u.duration, excluded.duration)),
        cost_histogram = compact_histogram(
            coalesce(u.cost_histogram || excluded.cost_histogram, u.cost_histogram, excluded.cost_histogram))
