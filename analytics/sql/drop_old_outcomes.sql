-- Purpose: of outcomes told twice the later wins: what is staged and older than what is known leaves the stage.
DELETE FROM outcome_stage t USING outcome o
WHERE o.project_id = t.project_id AND o.run = t.run AND o.told_at > t.told_at
