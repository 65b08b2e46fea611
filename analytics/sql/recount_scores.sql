-- Purpose: the rollups of some scorers go, from the ledger's floor on, and their scores stand in score_delta, to be rolled
-- up by other definitions. Under the lane's lock. Index: score_time; primary keys by project and time.
DELETE FROM score_bucket u
WHERE u.project_id = %(project)s AND u.scorer_id = ANY(%(scorers)s::bigint[])
  AND u.bucket >= coalesce((SELECT floor FROM ledger_floor), '-infinity');
DELETE FROM score_day u
WHERE u.project_id = %(project)s AND u.scorer_id = ANY(%(scorers)s::bigint[])
  AND u.day >= coalesce((SELECT floor::date + 1 FROM ledger_floor WHERE floor > '1970-01-02'), '-infinity');
INSERT INTO score_delta (sign, project_id, scorer_id, series_id, at, value, label)
SELECT 1, project_id, scorer_id, series_id, at, value, label FROM score
WHERE project_id = %(project)s AND at IS NOT NULL AND scorer_id = ANY(%(scorers)s::bigint[])
