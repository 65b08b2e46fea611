-- Purpose: how many calls of these series each quarter hour before a moment had, latest first.
-- Grain: quarter hour, series. Index: primary key of usage. Safe to re-run.
SELECT bucket, series_id, sum(calls) FROM usage
WHERE project_id = %(project)s AND bucket >= %(since)s AND bucket < %(until)s AND series_id = ANY(%(series)s)
GROUP BY 1, 2 HAVING sum(calls) > 0 ORDER BY 1 DESC
