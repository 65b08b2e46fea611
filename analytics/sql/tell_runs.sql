-- Purpose: runs get the outcome that was told of them: it wins over that of their calls and spans. Index: primary key.
UPDATE run_new r SET
    outcome = CASE WHEN o.success THEN 1 WHEN NOT o.success THEN 2 ELSE r.outcome END,
    outcome_value = coalesce(o.value, r.outcome_value)
FROM outcome o WHERE o.project_id = r.project_id AND o.run = r.id
