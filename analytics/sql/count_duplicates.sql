-- Purpose: the copies found by find_duplicates.sql are counted on their calls, which enter delta with sign +1.
WITH counted AS (
    UPDATE call c SET duplicates = least(32767, c.duplicates + s.duplicates + 1)
    FROM stage s JOIN delta d
      ON d.sign = -1 AND d.project_id = s.project_id AND d.started_at = s.started_at AND d.id = s.id
    WHERE s.mode = 0 AND c.project_id = s.project_id AND c.started_at = s.started_at AND c.id = s.id
      AND c.started_at BETWEEN %(lo)s AND %(hi)s
    RETURNING c.*)
INSERT INTO delta SELECT 1, counted.* FROM counted
