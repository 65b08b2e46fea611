-- Purpose: days from which something was taken: their sketches and exemplars are built again (analytics/fold.py).
-- A correction that leaves user, customer and series as they were does not touch a sketch; it is marked all the same.
INSERT INTO dirty_day (project_id, day)
SELECT DISTINCT d.project_id, day_in(p.zone, p.earlier_zones, d.started_at)
FROM delta d JOIN accounts_project p ON p.id = d.project_id
WHERE d.sign = -1
ON CONFLICT DO NOTHING
