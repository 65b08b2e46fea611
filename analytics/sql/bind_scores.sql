-- Purpose: open scores whose call or run was found (score_found) belong to it, and count there (score_delta, sign +1).
WITH bound AS (
    UPDATE score s SET at = f.at, series_id = f.series_id, bound_call = f.bound_call, bound_run = f.bound_run
    FROM score_found f WHERE s.project_id = %(project)s AND s.id = f.id
    RETURNING s.*)
INSERT INTO score_delta (sign, project_id, scorer_id, series_id, at, value, label)
SELECT 1, project_id, scorer_id, series_id, at, value, label FROM bound
