-- Purpose: the calls of a stretch of time stand in delta as new, to be rolled up again. Index: primary key of call.
INSERT INTO delta SELECT 1, c.* FROM call c
WHERE c.project_id = %(project)s AND c.started_at >= %(start)s AND c.started_at < %(end)s
