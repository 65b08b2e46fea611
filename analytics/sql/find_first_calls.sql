-- Purpose: when the first call that is left of each of these series began, once its earlier ones are gone.
-- Grain: series. Index: usage_day's primary key for the day, call's for the moment. Safe to re-run.
WITH days AS (
    SELECT series_id, min(day) AS day FROM (
        SELECT series_id, day FROM usage_day
        WHERE project_id = %(project)s AND series_id = ANY(%(series)s)
        GROUP BY 1, 2 HAVING sum(calls) > 0) AS used
    GROUP BY 1)
SELECT days.series_id, coalesce(
    (SELECT min(c.started_at) FROM call c
     WHERE c.project_id = %(project)s AND c.series_id = days.series_id
       AND c.started_at >= days.day::timestamp AT TIME ZONE 'UTC' - interval '1 day'
       AND c.started_at < days.day::timestamp AT TIME ZONE 'UTC' + interval '2 days'),
    days.day::timestamp AT TIME ZONE 'UTC') AS first_at
FROM days
