-- Purpose: what find_told_calls.sql found is made as told, and enters delta with sign +1.
WITH told AS (
    UPDATE call c SET
        outcome = coalesce(t.success, c.outcome), outcome_value = coalesce(t.value, c.outcome_value),
        wasted = c.error_class <> 0 OR c.attempt > 1 OR coalesce(t.success, c.outcome) IS FALSE
    FROM outcome_stage t
    WHERE c.project_id = %(project)s AND t.project_id = c.project_id AND t.lone = c.id AND c.trace IS NULL
      AND c.started_at BETWEEN %(lo)s AND %(hi)s AND c.id = ANY(%(ids)s::uuid[])
      AND (coalesce(t.success, c.outcome), coalesce(t.value, c.outcome_value))
          IS DISTINCT FROM (c.outcome, c.outcome_value)
    RETURNING c.*)
INSERT INTO delta SELECT 1, told.* FROM told
