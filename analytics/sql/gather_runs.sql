-- Purpose: every touched run as its calls say now. Grain: one run. Index: call_trace.
-- A step = the calls of one step name; its last attempt is the latest of them.
-- LATERAL and OFFSET 0: run by run through the index. Of a partition and temporary tables without statistics Postgres
-- believes that they have one row, and was seen to look at every call for each run.
INSERT INTO run_new (
    series_set, started_at, ended_at, id, series_id, flow_id, customer_id, user_id, session_id, duration_us,
    input, output, project_id, first_day, calls, errors, unpriced, outcome, rescued, cost, outcome_value, signs)
SELECT
    array_agg(DISTINCT c.series_id), min(c.started_at),
    max(c.started_at + coalesce(c.duration_us, 0) * interval '1 microsecond'), c.trace, NULL, 0,
    max(c.customer_id), max(c.user_id), max(c.session_id),
    CASE WHEN count(c.duration_us) > 0 THEN
        extract(epoch FROM max(c.started_at + coalesce(c.duration_us, 0) * interval '1 microsecond')
                - min(c.started_at)) * 1000000 END,
    sum(coalesce(c.input, 0)::bigint + coalesce(c.cache_read, 0) + coalesce(c.cache_write, 0)
        + coalesce(c.cache_write_1h, 0) + coalesce(c.audio_input, 0))
        FILTER (WHERE coalesce(c.input, c.cache_read, c.cache_write, c.audio_input) IS NOT NULL),
    sum(coalesce(c.output, 0)::bigint + coalesce(c.reasoning, 0) + coalesce(c.audio_output, 0))
        FILTER (WHERE coalesce(c.output, c.reasoning, c.audio_output) IS NOT NULL),
    c.project_id, (min(c.started_at) AT TIME ZONE 'UTC')::date,
    count(*), count(*) FILTER (WHERE c.error_class <> 0),
    count(*) FILTER (WHERE c.cost_status IN (2, 3, 4, 5, 7)),
    CASE WHEN bool_and(c.outcome) THEN 1 WHEN NOT bool_and(c.outcome) THEN 2 ELSE 0 END,
    false,
    sum(call_cost(c.cost_input, c.cost_cache_read, c.cost_cache_write, c.cost_output, c.cost_other, c.cost_unsplit)),
    sum(c.outcome_value),
    bit_or(  -- as roll_signs.sql has it of calls without a trace
        CASE WHEN c.finish = 2 THEN 1 ELSE 0 END | CASE WHEN c.finish = 4 OR c.error_class = 7 THEN 2 ELSE 0 END
        | CASE WHEN c.finish = 1 AND c.error_class = 0 AND c.output = 0 AND coalesce(c.audio_output, 0) = 0
            THEN 4 ELSE 0 END)
FROM touched t
CROSS JOIN LATERAL (
    SELECT * FROM call AS found
    WHERE found.project_id = t.project_id AND found.trace = t.trace
      AND found.started_at >= t.lo AND found.started_at <= t.hi
      AND found.started_at BETWEEN %(run_lo)s AND %(run_hi)s
    OFFSET 0) AS c
WHERE NOT t.large
GROUP BY c.project_id, c.trace
