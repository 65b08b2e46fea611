-- Purpose: half of a row that could not be loaded waits again, as a row of its own.
INSERT INTO inbox (lane, project_id, key_id, received_at, kind, items, attempts, import_batch, body)
SELECT lane, project_id, key_id, received_at, kind, %(items)s, 0, import_batch, %(body)s FROM inbox WHERE id = %(id)s
