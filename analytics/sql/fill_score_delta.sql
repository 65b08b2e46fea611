-- Purpose: the scores that count in a stretch of time stand in score_delta as new, to be rolled up again.
-- Index: score_time.
INSERT INTO score_delta (sign, project_id, scorer_id, series_id, at, value, label)
SELECT 1, project_id, scorer_id, series_id, at, value, label FROM score
WHERE project_id = %(project)s AND at >= %(start)s AND at < %(end)s
