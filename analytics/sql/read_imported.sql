-- Purpose: the calls of one import, some at a time, in the order of the primary key, within the import's period.
SELECT started_at, id FROM call
WHERE project_id = %(project)s AND started_at >= %(after_at)s AND started_at <= %(end)s
  AND (started_at, id) > (%(after_at)s, %(after_id)s) AND import_batch = %(batch)s
ORDER BY project_id, started_at, id LIMIT %(most)s
