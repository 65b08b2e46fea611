-- Purpose: who appears in what delta adds: ids of users and customers, repeats included, by day, environment and flow.
-- Ids are packed: eight bytes each, big-endian.
-- Grouped by numbers first; days and names are looked up for the few groups that come out.
SELECT q.project_id, day_in(p.zone, p.earlier_zones, q.bucket), s.environment, s.flow_id, q.users, q.customers
FROM (
    SELECT project_id, date_bin('15 minutes', started_at, timestamptz '2000-01-01Z') AS bucket, series_id,
        string_agg(int8send(user_id), ''::bytea) AS users,
        string_agg(int8send(customer_id), ''::bytea) AS customers
    FROM delta WHERE sign = 1 AND (user_id IS NOT NULL OR customer_id IS NOT NULL)
    GROUP BY 1, 2, 3) AS q
JOIN accounts_project p ON p.id = q.project_id
JOIN series s ON s.project_id = q.project_id AND s.id = q.series_id
