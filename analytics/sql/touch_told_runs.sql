-- Purpose: the runs whose outcome was just told, or of which late spans say something else than before (outcome,
-- rescue, failed tool) while no call of theirs changed, are gathered again. Index: run_id. Runs after touch_runs.sql.
INSERT INTO touched
SELECT r.project_id, r.id, min(r.started_at), max(r.ended_at), false
FROM (
    SELECT r.project_id, r.id, r.started_at, r.ended_at
    FROM outcome_stage t JOIN run r ON r.project_id = t.project_id AND r.id = t.run
    UNION ALL
    SELECT r.project_id, r.id, r.started_at, r.ended_at
    FROM run_name n JOIN run r ON r.project_id = n.project_id AND r.id = n.id
    WHERE n.trace_started_us IS NOT NULL
      AND (n.trace_outcome, n.trace_rescued, n.trace_signs)
          IS DISTINCT FROM (r.trace_outcome, r.trace_rescued, coalesce(r.trace_signs, 0))
      AND r.first_day >= (%(lo)s::timestamptz - interval '40 days')::date
      AND r.first_day <= (%(hi)s::timestamptz + interval '3 days')::date) AS r
WHERE NOT EXISTS (SELECT FROM touched k WHERE k.project_id = r.project_id AND k.trace = r.id)
GROUP BY 1, 2
