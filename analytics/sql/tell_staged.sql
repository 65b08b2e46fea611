-- Purpose: staged calls without a trace (each a run of its own) get the outcome that was told before they came.
-- Wasted: as analytics/stage.py has it. Index: outcome_lone.
UPDATE stage s SET
    outcome = coalesce(o.success, s.outcome), outcome_value = coalesce(o.value, s.outcome_value),
    wasted = s.error_class <> 0 OR s.attempt > 1 OR coalesce(o.success, s.outcome) IS FALSE
FROM outcome o
WHERE s.trace IS NULL AND s.mode < 2 AND o.project_id = s.project_id AND o.lone = s.id
