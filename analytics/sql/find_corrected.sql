-- Purpose: calls that are to be changed or taken out enter delta as they are, with sign -1.
-- Index: primary key of call. A call that is already as it shall be is left alone, so a repeat changes nothing.
-- wasted is left out: analytics/sql/find_wasted.sql decides it once the runs are known.
INSERT INTO delta
SELECT -1, c.* FROM stage s
JOIN call c ON c.project_id = s.project_id AND c.started_at = s.started_at AND c.id = s.id
WHERE c.started_at BETWEEN %(lo)s AND %(hi)s AND (s.mode = 2 OR (s.mode = 1 AND (
    c.series_id, c.customer_id, c.user_id, c.session_id, c.tag_set_id, c.duration_us, c.ttft_us, c.trace,
    c.input, c.cache_read, c.cache_write, c.cache_write_1h, c.output, c.reasoning, c.audio_input, c.audio_output,
    c.price_id, c.cost_status, c.error_class, c.finish, c.attempt, c.duplicates, c.outcome, c.cost_input,
    c.cost_cache_read, c.cost_cache_write, c.cost_output, c.cost_other, c.cost_unsplit, c.reported_cost,
    c.estimated_cost, c.outcome_value, c.other_units, c.error_type, c.raw_flow, c.currency, c.response_id,
    c.fingerprint
  ) IS DISTINCT FROM (
    s.series_id, s.customer_id, s.user_id, s.session_id, s.tag_set_id, s.duration_us, s.ttft_us, s.trace,
    s.input, s.cache_read, s.cache_write, s.cache_write_1h, s.output, s.reasoning, s.audio_input, s.audio_output,
    s.price_id, s.cost_status, s.error_class, s.finish, s.attempt, s.duplicates, s.outcome, s.cost_input,
    s.cost_cache_read, s.cost_cache_write, s.cost_output, s.cost_other, s.cost_unsplit, s.reported_cost,
    s.estimated_cost, s.outcome_value, s.other_units, s.error_type, s.raw_flow, s.currency, s.response_id,
    s.fingerprint)))
