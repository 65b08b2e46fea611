-- Purpose: the calls of open scores: by the time that was told, or as a call of their run (the newest of that id).
-- Index: primary key of call, call_trace. %(lo)s and %(hi)s keep the search to few partitions.
INSERT INTO score_found (id, at, series_id, bound_call, bound_run)
SELECT s.id, c.started_at, c.series_id, c.id, c.trace
FROM score_open o JOIN score s ON s.project_id = o.project_id AND s.id = o.id
CROSS JOIN LATERAL (
    SELECT * FROM (
        SELECT * FROM call AS told
        WHERE told.project_id = %(project)s AND told.started_at = s.call_at AND told.id = s.call
          AND told.started_at BETWEEN %(lo)s AND %(hi)s
        UNION ALL
        SELECT * FROM call AS traced
        WHERE s.call_at IS NULL AND traced.project_id = %(project)s AND traced.trace = s.run
          AND traced.id IN (s.call, s.call_alt) AND traced.started_at BETWEEN %(lo)s AND %(hi)s) AS either
    ORDER BY started_at DESC LIMIT 1) AS c
WHERE o.project_id = %(project)s AND s.series_id IS NULL AND s.call IS NOT NULL
  AND NOT EXISTS (SELECT FROM score_found f WHERE f.id = s.id)
