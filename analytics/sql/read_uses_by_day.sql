-- Purpose: how many calls of these series each day before a day had, latest first; for times whose hours are gone.
-- Grain: day, series. Index: primary key of usage_day. Safe to re-run.
SELECT day, series_id, sum(calls) FROM usage_day
WHERE project_id = %(project)s AND day >= %(since)s AND day < %(until)s AND series_id = ANY(%(series)s)
GROUP BY 1, 2 HAVING sum(calls) > 0 ORDER BY 1 DESC
