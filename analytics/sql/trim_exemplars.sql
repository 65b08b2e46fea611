-- Purpose: of each quarter hour, environment and flow the best five exemplars of a kind stay.
DELETE FROM exemplar e USING (
    SELECT project_id, bucket, environment, flow_id, kind, run, row_number() OVER (
        PARTITION BY project_id, bucket, environment, flow_id, kind ORDER BY value DESC, run) AS place
    FROM exemplar WHERE project_id %% 16 = %(lane)s AND bucket >= %(since)s) AS r
WHERE r.place > 5 AND (e.project_id, e.bucket, e.environment, e.flow_id, e.kind, e.run)
    = (r.project_id, r.bucket, r.environment, r.flow_id, r.kind, r.run)
