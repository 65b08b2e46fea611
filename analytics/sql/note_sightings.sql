-- Purpose: the first call of each series, as far as delta knows an earlier one than was known.
-- Grain: project, series. One writer a project (lane lock). Index: primary key of sighting. Safe to re-run.
INSERT INTO sighting (project_id, series_id, first_at, news, doubtful)
SELECT d.project_id, d.series_id, d.first_at, true, false
FROM (SELECT project_id, series_id, min(started_at) AS first_at FROM delta WHERE sign = 1 GROUP BY 1, 2) d
LEFT JOIN sighting s ON s.project_id = d.project_id AND s.series_id = d.series_id
WHERE s.first_at IS NULL OR d.first_at < s.first_at
ORDER BY 1, 2
ON CONFLICT (project_id, series_id) DO UPDATE SET first_at = excluded.first_at, news = true
