-- Purpose: calls without a trace whose outcome was just told differently enter delta as they are, with sign -1.
-- Index: primary key of call, by project and time: the few ids are looked for in one pass over the keys of that time.
WITH found AS MATERIALIZED (
    SELECT c.* FROM call c
    WHERE c.project_id = %(project)s AND c.started_at BETWEEN %(lo)s AND %(hi)s AND c.id = ANY(%(ids)s::uuid[])
      AND c.trace IS NULL),
marked AS (
    UPDATE outcome_stage t SET found_at = %(now)s FROM found c WHERE t.project_id = c.project_id AND t.lone = c.id)
INSERT INTO delta
SELECT -1, c.* FROM found c JOIN outcome_stage t ON t.project_id = c.project_id AND t.lone = c.id
WHERE (coalesce(t.success, c.outcome), coalesce(t.value, c.outcome_value))
      IS DISTINCT FROM (c.outcome, c.outcome_value)
