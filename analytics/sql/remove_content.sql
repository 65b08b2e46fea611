-- Purpose: what was kept of the contents of calls that are staged to be taken out. Index: primary key of content.
DELETE FROM content c USING stage s
WHERE s.mode = 2 AND c.project_id = s.project_id AND c.id = s.id AND c.started_at = s.started_at
  AND c.started_at BETWEEN %(lo)s AND %(hi)s
