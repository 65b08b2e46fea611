-- Purpose: those calls get their price, and enter delta with sign +1.
WITH changed AS (
    UPDATE call c SET
        price_id = r.price_id, cost_status = r.cost_status, cost_input = r.cost_input,
        cost_cache_read = r.cost_cache_read, cost_cache_write = r.cost_cache_write, cost_output = r.cost_output,
        cost_other = r.cost_other, cost_unsplit = r.cost_unsplit
    FROM repriced r
    WHERE c.project_id = %(project)s AND c.started_at = r.started_at AND c.id = r.id
      AND c.started_at BETWEEN %(lo)s AND %(hi)s
    RETURNING c.*)
INSERT INTO delta SELECT 1, changed.* FROM changed
