-- Purpose: told outcomes are kept, the later one of each run. Index: primary key of outcome.
INSERT INTO outcome AS o (told_at, received_at, run, lone, project_id, success, value, raw_id)
SELECT told_at, received_at, run, lone, project_id, success, value, raw_id FROM outcome_stage
ON CONFLICT (project_id, run) DO UPDATE SET
    told_at = excluded.told_at, received_at = excluded.received_at, success = excluded.success, value = excluded.value
