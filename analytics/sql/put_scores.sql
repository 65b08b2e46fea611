-- Purpose: staged scores enter; the same id again replaces. What the replaced ones counted is taken back (score_delta,
-- sign -1), and all of them are to be attributed (score_open). Copies that change nothing have left score_stage before.
-- Index: primary key of score.
WITH old AS (
    INSERT INTO score_delta (sign, project_id, scorer_id, series_id, at, value, label)
    SELECT -1, s.project_id, s.scorer_id, s.series_id, s.at, s.value, s.label
    FROM score_stage t JOIN score s ON s.project_id = t.project_id AND s.id = t.id
    WHERE s.series_id IS NOT NULL),
opened AS (
    INSERT INTO score_open (project_id, id) SELECT project_id, id FROM score_stage)
INSERT INTO score AS s (
    scored_at, received_at, call_at, scorer_id, session_id, id, call, call_alt, run, project_id, import_batch, value,
    label, raw_id, target, comment)
SELECT
    scored_at, received_at, call_at, scorer_id, session_id, id, call, call_alt, run, project_id, import_batch, value,
    label, raw_id, target, comment
FROM score_stage
ON CONFLICT (project_id, id) DO UPDATE SET
    scored_at = excluded.scored_at, received_at = excluded.received_at, call_at = excluded.call_at,
    scorer_id = excluded.scorer_id, session_id = excluded.session_id, call = excluded.call,
    call_alt = excluded.call_alt, run = excluded.run, import_batch = excluded.import_batch, value = excluded.value,
    label = excluded.label, target = excluded.target, comment = excluded.comment,
    at = NULL, series_id = NULL, bound_call = NULL, bound_run = NULL
