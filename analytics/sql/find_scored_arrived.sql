-- Purpose: calls without a trace that this batch brought or changed, of open scores that name them as a run.
INSERT INTO score_found (id, at, series_id, bound_call, bound_run)
SELECT DISTINCT ON (s.id) s.id, c.started_at, c.series_id, c.id, NULL
FROM score_open o
JOIN score s ON s.project_id = o.project_id AND s.id = o.id
JOIN delta d ON d.project_id = s.project_id AND d.id = s.call_alt AND d.sign = 1 AND d.trace IS NULL
JOIN call c ON c.project_id = d.project_id AND c.started_at = d.started_at AND c.id = d.id
WHERE o.project_id = %(project)s AND s.series_id IS NULL AND s.call IS NULL AND s.call_alt IS NOT NULL
ORDER BY s.id, c.started_at DESC
