-- Purpose: calls that are new enter the ledger; what they add stands in delta with sign +1.
-- Index: primary key of call (project, started_at, id). Safe to re-run: a known key adds nothing.
WITH new AS (
    INSERT INTO call (
        started_at, received_at, series_id, customer_id, user_id, session_id, tag_set_id, duration_us, ttft_us,
        id, trace, project_id, input, cache_read, cache_write, cache_write_1h, output, reasoning, audio_input,
        audio_output, price_id, import_batch, cost_status, error_class, finish, attempt, duplicates, wasted,
        outcome, cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit,
        reported_cost, estimated_cost, outcome_value, other_units, raw_id, error_type, raw_flow, currency,
        response_id, fingerprint)
    SELECT
        started_at, received_at, series_id, customer_id, user_id, session_id, tag_set_id, duration_us, ttft_us,
        id, trace, project_id, input, cache_read, cache_write, cache_write_1h, output, reasoning, audio_input,
        audio_output, price_id, import_batch, cost_status, error_class, finish, attempt, duplicates, wasted,
        outcome, cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit,
        reported_cost, estimated_cost, outcome_value, other_units, raw_id, error_type, raw_flow, currency,
        response_id, fingerprint
    FROM stage WHERE mode < 2
    ON CONFLICT DO NOTHING
    RETURNING *)
INSERT INTO delta SELECT 1, new.* FROM new
