-- Purpose: touched runs as they are now: into run, and into run_delta with sign +1.
WITH new AS (
    INSERT INTO run (
        started_at, ended_at, id, series_id, flow_id, customer_id, user_id, session_id, duration_us, input, output,
        project_id, first_day, calls, errors, unpriced, outcome, rescued, cost, outcome_value, raw_id, session,
        trace_started_at, trace_ended_at, trace_outcome, trace_rescued, signs, trace_signs)
    SELECT
        started_at, ended_at, id, series_id, flow_id, customer_id, user_id, session_id, duration_us, input, output,
        project_id, first_day, calls, errors, unpriced, outcome, rescued, cost, outcome_value, raw_id, session,
        trace_started_at, trace_ended_at, trace_outcome, trace_rescued, coalesce(signs, 0), trace_signs
    FROM run_new
    RETURNING *)
INSERT INTO run_delta SELECT 1, new.* FROM new
