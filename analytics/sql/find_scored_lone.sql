-- Purpose: calls without a trace that have the id which open scores give as that of a run; the newest.
-- Index: primary key of call, by project and time: the few ids are looked for in one pass over the keys of that time.
INSERT INTO score_found (id, at, series_id, bound_call, bound_run)
SELECT DISTINCT ON (s.id) s.id, c.started_at, c.series_id, c.id, NULL
FROM call c
JOIN (SELECT s.id, s.call_alt FROM score_open o JOIN score s ON s.project_id = o.project_id AND s.id = o.id
      WHERE o.project_id = %(project)s AND s.series_id IS NULL AND s.call IS NULL AND s.call_alt IS NOT NULL
        AND NOT EXISTS (SELECT FROM score_found f WHERE f.id = s.id)) AS s ON s.call_alt = c.id
WHERE c.project_id = %(project)s AND c.started_at BETWEEN %(lo)s AND %(hi)s AND c.id = ANY(%(ids)s::uuid[])
  AND c.trace IS NULL
ORDER BY s.id, c.started_at DESC
