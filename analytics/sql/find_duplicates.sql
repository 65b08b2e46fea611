-- Purpose: staged calls that the ledger already has: their present state enters delta with sign -1.
-- Index: primary key of call. Runs after insert_calls.sql, before count_duplicates.sql.
INSERT INTO delta
SELECT -1, c.* FROM stage s
JOIN call c ON c.project_id = s.project_id AND c.started_at = s.started_at AND c.id = s.id
WHERE s.mode = 0 AND NOT EXISTS (
    SELECT FROM delta d WHERE d.project_id = s.project_id AND d.started_at = s.started_at AND d.id = s.id)
  AND c.started_at BETWEEN %(lo)s AND %(hi)s
