-- Purpose: the runs whose outcome was just told are gathered again. Index: run_id. Runs after touch_runs.sql.
INSERT INTO touched
SELECT r.project_id, r.id, min(r.started_at), max(r.ended_at), false
FROM outcome_stage t JOIN run r ON r.project_id = t.project_id AND r.id = t.run
WHERE NOT EXISTS (SELECT FROM touched k WHERE k.project_id = r.project_id AND k.trace = r.id)
GROUP BY 1, 2
