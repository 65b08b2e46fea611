-- Purpose: an attempt at a lane's oldest batch is counted before it is made. No row: nothing waits, or another loader
-- holds the lane; what it is at is no attempt of ours, however often the clock asks for one.
WITH free AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(%(space)s, %(lane)s) AS held)
INSERT INTO lane AS l (lane, first_id, attempts, careful_until)
SELECT i.lane, min(i.id), 1, 0 FROM inbox i, free WHERE free.held AND i.lane = %(lane)s GROUP BY i.lane
ON CONFLICT (lane) DO UPDATE SET
    first_id = excluded.first_id,
    attempts = CASE WHEN l.first_id = excluded.first_id THEN l.attempts + 1 ELSE 1 END
RETURNING attempts, first_id <= careful_until
