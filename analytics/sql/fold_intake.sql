-- Purpose: intake's appended rows of past quarter hours become one row a key. Safe to re-run.
WITH k AS (
    SELECT project_id, key_id, bucket FROM intake
    WHERE project_id %% 16 = %(lane)s GROUP BY 1, 2, 3 HAVING count(*) > 1 LIMIT %(most)s),
gone AS (
    DELETE FROM intake i USING k
    WHERE i.project_id = k.project_id AND i.key_id = k.key_id AND i.bucket = k.bucket
    RETURNING i.*)
INSERT INTO intake (project_id, key_id, bucket, accepted, rejected, duplicates)
SELECT project_id, key_id, bucket, sum(accepted), sum(rejected), sum(duplicates) FROM gone GROUP BY 1, 2, 3
