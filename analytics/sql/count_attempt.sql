-- Purpose: an attempt at a lane's oldest batch is counted before it is made. No row: nothing waits.
INSERT INTO lane AS l (lane, first_id, attempts, careful_until)
SELECT lane, min(id), 1, 0 FROM inbox WHERE lane = %(lane)s GROUP BY lane
ON CONFLICT (lane) DO UPDATE SET
    first_id = excluded.first_id,
    attempts = CASE WHEN l.first_id = excluded.first_id THEN l.attempts + 1 ELSE 1 END
RETURNING attempts, first_id <= careful_until
