-- Purpose: a record that cannot be loaded is set aside with its reason.
INSERT INTO inbox_dead (lane, project_id, key_id, received_at, kind, items, attempts, import_batch, body, reason, failed_at)
SELECT lane, project_id, key_id, received_at, kind, items, attempts, import_batch, body, %(reason)s, %(now)s
FROM inbox WHERE id = %(id)s
