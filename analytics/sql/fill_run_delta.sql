-- Purpose: the runs that began in a stretch of time stand in run_delta as new. Index: run_newest.
INSERT INTO run_delta SELECT 1, r.* FROM run r
WHERE r.project_id = %(project)s AND r.started_at >= %(start)s AND r.started_at < %(end)s
  AND r.first_day >= (%(start)s AT TIME ZONE 'UTC')::date - 1 AND r.first_day <= (%(end)s AT TIME ZONE 'UTC')::date
