-- Purpose: those calls get their flow's series, and enter delta with sign +1.
WITH changed AS (
    UPDATE call c SET series_id = r.series_id, raw_flow = NULL
    FROM attributed r
    WHERE c.project_id = %(project)s AND c.started_at = r.started_at AND c.id = r.id
      AND c.started_at BETWEEN %(lo)s AND %(hi)s
    RETURNING c.*)
INSERT INTO delta SELECT 1, changed.* FROM changed
