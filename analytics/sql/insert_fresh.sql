-- Purpose: staged calls enter the ledger and, with sign +1, delta, on the promise that none is known: one that is raises
-- unique_violation, and the loader goes back to its savepoint and takes insert_calls.sql.
-- Half the time of ON CONFLICT, which looks each key up before it writes, and writes each row twice.
WITH noted AS (
    INSERT INTO delta (
        sign,
        started_at, received_at, series_id, customer_id, user_id, session_id, tag_set_id, duration_us, ttft_us,
        id, trace, project_id, input, cache_read, cache_write, cache_write_1h, output, reasoning, audio_input,
        audio_output, price_id, import_batch, cost_status, error_class, finish, attempt, duplicates, wasted,
        outcome, cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit,
        reported_cost, estimated_cost, outcome_value, other_units, raw_id, error_type, raw_flow, currency,
        response_id, fingerprint)
    SELECT
        1,
        started_at, received_at, series_id, customer_id, user_id, session_id, tag_set_id, duration_us, ttft_us,
        id, trace, project_id, input, cache_read, cache_write, cache_write_1h, output, reasoning, audio_input,
        audio_output, price_id, import_batch, cost_status, error_class, finish, attempt, duplicates, wasted,
        outcome, cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit,
        reported_cost, estimated_cost, outcome_value, other_units, raw_id, error_type, raw_flow, currency,
        response_id, fingerprint
    FROM stage WHERE mode < 2)
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
