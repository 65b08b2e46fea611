-- Purpose: appended rows of sign_bucket become one row a key (batch 0). Grain: project_id, bucket, series_id.
-- One statement under the lane's lock. Index: sign_bucket_unfolded, primary key. Safe to re-run: folded rows stay.
WITH k AS (
    SELECT DISTINCT project_id, bucket, series_id FROM sign_bucket
    WHERE batch <> 0 AND project_id %% 16 = %(lane)s LIMIT %(most)s),
gone AS (
    DELETE FROM sign_bucket u USING k
    WHERE u.project_id = k.project_id AND u.bucket = k.bucket AND u.series_id = k.series_id
    RETURNING u.*)
INSERT INTO sign_bucket (
    project_id, bucket, series_id, batch, flagged, cut_off, filtered, empty_answer, failed_tool)
SELECT
    project_id, bucket, series_id, 0, sum(flagged), sum(cut_off), sum(filtered), sum(empty_answer), sum(failed_tool)
FROM gone GROUP BY project_id, bucket, series_id
HAVING sum(flagged) <> 0
