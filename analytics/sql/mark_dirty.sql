-- Purpose: days from which something was taken: their sketches and exemplars are built again (analytics/fold.py).
-- A correction that leaves user, customer and series as they were does not touch a sketch; it is marked all the same.
INSERT INTO dirty_day (project_id, day)
SELECT DISTINCT q.project_id, day_in(p.zone, p.earlier_zones, q.bucket)
FROM (
    SELECT DISTINCT project_id, date_bin('15 minutes', started_at, timestamptz '2000-01-01Z') AS bucket
    FROM delta WHERE sign = -1) AS q
JOIN accounts_project p ON p.id = q.project_id
ON CONFLICT DO NOTHING
