-- Purpose: what find_corrected.sql found is made as staged, and enters delta with sign +1.
WITH corrected AS (
    UPDATE call c SET
        series_id = s.series_id, customer_id = s.customer_id, user_id = s.user_id, session_id = s.session_id,
        tag_set_id = s.tag_set_id, duration_us = s.duration_us, ttft_us = s.ttft_us, trace = s.trace,
        input = s.input, cache_read = s.cache_read, cache_write = s.cache_write,
        cache_write_1h = s.cache_write_1h, output = s.output, reasoning = s.reasoning,
        audio_input = s.audio_input, audio_output = s.audio_output, price_id = s.price_id,
        cost_status = s.cost_status, error_class = s.error_class, finish = s.finish, attempt = s.attempt,
        duplicates = s.duplicates, outcome = s.outcome, cost_input = s.cost_input,
        cost_cache_read = s.cost_cache_read, cost_cache_write = s.cost_cache_write, cost_output = s.cost_output,
        cost_other = s.cost_other, cost_unsplit = s.cost_unsplit, reported_cost = s.reported_cost,
        estimated_cost = s.estimated_cost, outcome_value = s.outcome_value, other_units = s.other_units,
        error_type = s.error_type, raw_flow = s.raw_flow, currency = s.currency, response_id = s.response_id,
        fingerprint = s.fingerprint
    FROM stage s JOIN delta d
      ON d.sign = -1 AND d.project_id = s.project_id AND d.started_at = s.started_at AND d.id = s.id
    WHERE s.mode = 1 AND c.project_id = s.project_id AND c.started_at = s.started_at AND c.id = s.id
      AND c.started_at BETWEEN %(lo)s AND %(hi)s
    RETURNING c.*)
INSERT INTO delta SELECT 1, corrected.* FROM corrected
