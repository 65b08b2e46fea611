-- Purpose: who appears in what delta adds: ids of users and customers by day, environment and flow.
-- The day of a quarter hour is found once, not once a call: day_in is too large for Postgres to inline (40 us).
WITH days AS MATERIALIZED (
    SELECT q.project_id, q.bucket, day_in(p.zone, p.earlier_zones, q.bucket) AS day
    FROM (
        SELECT DISTINCT project_id, date_bin('15 minutes', started_at, timestamptz '2000-01-01Z') AS bucket
        FROM delta WHERE sign = 1) AS q
    JOIN accounts_project p ON p.id = q.project_id)
SELECT d.project_id, y.day, s.environment, s.flow_id,
    array_agg(DISTINCT d.user_id) FILTER (WHERE d.user_id IS NOT NULL),
    array_agg(DISTINCT d.customer_id) FILTER (WHERE d.customer_id IS NOT NULL)
FROM delta d
JOIN days y ON y.project_id = d.project_id
    AND y.bucket = date_bin('15 minutes', d.started_at, timestamptz '2000-01-01Z')
JOIN series s ON s.project_id = d.project_id AND s.id = d.series_id
WHERE d.sign = 1 AND (d.user_id IS NOT NULL OR d.customer_id IS NOT NULL)
GROUP BY 1, 2, 3, 4
