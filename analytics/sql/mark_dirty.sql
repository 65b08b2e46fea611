-- Purpose: days from which a person or a flow was taken: their sketches and exemplars are built again (analytics/fold.py).
-- A call that stays in its series, with its user and customer, leaves them as they are.
INSERT INTO dirty_day (project_id, day)
SELECT DISTINCT q.project_id, day_in(p.zone, p.earlier_zones, q.bucket)
FROM (
    SELECT DISTINCT o.project_id, date_bin('15 minutes', o.started_at, timestamptz '2000-01-01Z') AS bucket
    FROM delta o WHERE o.sign = -1 AND NOT EXISTS (
        SELECT FROM delta n
        WHERE n.sign = 1 AND n.project_id = o.project_id AND n.started_at = o.started_at AND n.id = o.id
          AND n.series_id = o.series_id AND n.user_id IS NOT DISTINCT FROM o.user_id
          AND n.customer_id IS NOT DISTINCT FROM o.customer_id)) AS q
JOIN accounts_project p ON p.id = q.project_id
ON CONFLICT DO NOTHING
