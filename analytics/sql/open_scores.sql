-- Purpose: scores whose call or run changed its series or time, or went, are to be attributed again; scores that wait
-- for a call or run of this batch, and scores of its sessions, likewise. Index: score_call, score_call_alt, score_run,
-- score_session (corrections only), score_waiting. LATERAL and OFFSET 0: through the indexes, whatever Postgres believes
-- of temporary tables; what waits is looked through as a whole, and only for 30 days.
WITH changed AS MATERIALIZED (
    SELECT DISTINCT id FROM delta WHERE project_id = %(project)s AND sign = -1),
rerun AS MATERIALIZED (
    SELECT DISTINCT id FROM run_delta WHERE project_id = %(project)s AND sign = -1),
visits AS MATERIALIZED (
    SELECT session_id FROM run_delta WHERE project_id = %(project)s AND session_id IS NOT NULL
    UNION SELECT session_id FROM delta WHERE project_id = %(project)s AND session_id IS NOT NULL AND trace IS NULL),
named AS (
    SELECT s.id FROM changed c CROSS JOIN LATERAL (
        SELECT * FROM score f WHERE f.project_id = %(project)s AND f.call = c.id OFFSET 0) s
    UNION SELECT s.id FROM changed c CROSS JOIN LATERAL (
        SELECT * FROM score f WHERE f.project_id = %(project)s AND f.call_alt = c.id OFFSET 0) s
    UNION SELECT s.id FROM rerun r CROSS JOIN LATERAL (
        SELECT * FROM score f WHERE f.project_id = %(project)s AND f.run = r.id OFFSET 0) s
    UNION SELECT s.id FROM visits v CROSS JOIN LATERAL (
        SELECT * FROM score f WHERE f.project_id = %(project)s AND f.session_id = v.session_id OFFSET 0) s
    UNION SELECT s.id FROM score s
    WHERE s.project_id = %(project)s AND s.series_id IS NULL AND s.received_at > %(now)s - interval '30 days' AND (
        s.call IN (SELECT id FROM delta WHERE project_id = %(project)s AND sign = 1)
        OR s.call_alt IN (SELECT id FROM delta WHERE project_id = %(project)s AND sign = 1)
        OR s.run IN (SELECT id FROM run_delta WHERE project_id = %(project)s AND sign = 1)
        OR s.run IN (SELECT id FROM run_name WHERE project_id = %(project)s))),
wrong AS MATERIALIZED (
    SELECT s.id FROM named JOIN score s ON s.project_id = %(project)s AND s.id = named.id
    WHERE s.series_id IS NULL OR s.session_id IS NOT NULL
      OR (s.bound_call IS NOT NULL AND NOT EXISTS (
            SELECT FROM call c WHERE c.project_id = s.project_id AND c.started_at = s.at AND c.id = s.bound_call
              AND c.series_id = s.series_id AND c.trace IS NOT DISTINCT FROM s.bound_run))
      OR (s.bound_call IS NULL AND (s.call IS NOT NULL OR NOT EXISTS (
            SELECT FROM run r WHERE r.project_id = s.project_id AND r.id = s.bound_run
              AND r.first_day = (s.at AT TIME ZONE 'UTC')::date
              AND r.started_at = s.at AND r.series_id = s.series_id)))),
back AS (
    INSERT INTO score_delta (sign, project_id, scorer_id, series_id, at, value, label)
    SELECT -1, s.project_id, s.scorer_id, s.series_id, s.at, s.value, s.label
    FROM wrong w JOIN score s ON s.project_id = %(project)s AND s.id = w.id WHERE s.series_id IS NOT NULL),
freed AS (
    UPDATE score s SET at = NULL, series_id = NULL, bound_call = NULL, bound_run = NULL
    FROM wrong w WHERE s.project_id = %(project)s AND s.id = w.id AND s.series_id IS NOT NULL)
INSERT INTO score_open (project_id, id) SELECT %(project)s, id FROM wrong
