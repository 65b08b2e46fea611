-- Purpose: calls staged to be taken out leave the ledger; find_corrected.sql has put them into delta.
DELETE FROM call c USING stage s
WHERE s.mode = 2 AND c.project_id = s.project_id AND c.started_at = s.started_at AND c.id = s.id
  AND c.started_at BETWEEN %(lo)s AND %(hi)s
