-- Purpose: appended rows of score_day become one row a key (batch 0). Grain: project_id, day, series_id, scorer_id.
-- One statement under the lane's lock. Index: score_day_unfolded, primary key. Safe to re-run: folded rows stay.
WITH k AS (
    SELECT DISTINCT project_id, day, series_id, scorer_id FROM score_day
    WHERE batch <> 0 AND project_id %% 16 = %(lane)s LIMIT %(most)s),
gone AS (
    DELETE FROM score_day u USING k
    WHERE u.project_id = k.project_id AND u.day = k.day AND u.series_id = k.series_id
      AND u.scorer_id = k.scorer_id
    RETURNING u.*)
INSERT INTO score_day (
    project_id, day, series_id, scorer_id, batch, n, judged, passed, sum, squares, counts)
SELECT
    project_id, day, series_id, scorer_id, 0, sum(n), sum(judged), sum(passed), sum(sum), sum(squares),
    compact_histogram(string_agg(counts, ''::bytea))
FROM gone GROUP BY project_id, day, series_id, scorer_id
HAVING sum(n) <> 0
