-- Purpose: who appears in what delta adds: ids of users and customers by day, environment and flow.
SELECT d.project_id, day_in(p.zone, p.earlier_zones, d.started_at) AS day, s.environment, s.flow_id,
    array_agg(DISTINCT d.user_id) FILTER (WHERE d.user_id IS NOT NULL),
    array_agg(DISTINCT d.customer_id) FILTER (WHERE d.customer_id IS NOT NULL)
FROM delta d
JOIN accounts_project p ON p.id = d.project_id
JOIN series s ON s.project_id = d.project_id AND s.id = d.series_id
WHERE d.sign = 1 AND (d.user_id IS NOT NULL OR d.customer_id IS NOT NULL)
GROUP BY 1, 2, 3, 4
