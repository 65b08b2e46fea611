-- Purpose: calls that get their flow enter delta as they are, with sign -1. Index: primary key of call.
INSERT INTO delta
SELECT -1, c.* FROM attributed r
JOIN call c ON c.project_id = %(project)s AND c.started_at = r.started_at AND c.id = r.id
WHERE c.started_at BETWEEN %(lo)s AND %(hi)s
