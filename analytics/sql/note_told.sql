-- Purpose: told outcomes whose run is there wait no longer. Index: outcome_waiting.
UPDATE outcome o SET found_at = %(now)s
WHERE o.project_id = ANY(%(projects)s) AND o.found_at IS NULL AND o.received_at > %(now)s - interval '30 days' AND (
    (o.project_id, o.run) IN (SELECT project_id, id FROM run_delta WHERE sign = 1)
    OR (o.project_id, o.lone) IN (SELECT project_id, id FROM delta WHERE sign = 1 AND trace IS NULL)
    OR (o.project_id, o.run) IN (SELECT project_id, run FROM outcome_stage WHERE found_at IS NOT NULL))
