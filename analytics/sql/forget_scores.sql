-- Purpose: the scores of an import leave; what they counted stands in score_delta with sign -1. Reads all scores of the
-- project: an import is seldom undone. Safe to re-run: the second time nothing is there.
WITH gone AS (
    DELETE FROM score WHERE project_id = %(project)s AND import_batch = %(batch)s RETURNING *)
INSERT INTO score_delta (sign, project_id, scorer_id, series_id, at, value, label)
SELECT -1, project_id, scorer_id, series_id, at, value, label FROM gone WHERE series_id IS NOT NULL
