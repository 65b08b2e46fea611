-- Purpose: series whose first call went elsewhere (corrected, undone) are looked up again at the next look for changes.
-- Grain: project, series. Index: primary key of sighting. Safe to re-run.
UPDATE sighting s SET news = true, doubtful = true
FROM (
    SELECT project_id, series_id, min(started_at) AS first_at
    FROM (SELECT project_id, series_id, started_at, id FROM delta GROUP BY 1, 2, 3, 4 HAVING sum(sign) < 0) AS gone
    GROUP BY 1, 2) d
WHERE s.project_id = d.project_id AND s.series_id = d.series_id AND d.first_at <= s.first_at
