-- Purpose: the oldest row of a lane, to be split or set aside.
SELECT id, body FROM inbox WHERE lane = %(lane)s ORDER BY id LIMIT 1
