-- Purpose: staged scores that are known exactly so leave the stage: a repeat changes nothing.
DELETE FROM score_stage t USING score s
WHERE s.project_id = t.project_id AND s.id = t.id AND (
    s.scorer_id, s.value, s.label, s.call, s.call_alt, s.call_at, s.run, s.session_id, s.comment, s.scored_at
  ) IS NOT DISTINCT FROM (
    t.scorer_id, t.value, t.label, t.call, t.call_alt, t.call_at, t.run, t.session_id, t.comment, t.scored_at)
