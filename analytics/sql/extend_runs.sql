-- Purpose: large runs: what they were and what delta says. Their series, outcome and names stay as they were.
INSERT INTO run_new (
    started_at, ended_at, id, series_id, flow_id, customer_id, user_id, session_id, duration_us, input, output,
    project_id, first_day, calls, errors, unpriced, outcome, rescued, cost, outcome_value, signs)
SELECT
    least(o.started_at, d.started_at), greatest(o.ended_at, d.ended_at), o.id, o.series_id, o.flow_id,
    o.customer_id, o.user_id, o.session_id,
    extract(epoch FROM greatest(o.ended_at, d.ended_at) - least(o.started_at, d.started_at)) * 1000000,
    coalesce(o.input + d.input, o.input, d.input), coalesce(o.output + d.output, o.output, d.output),
    o.project_id, (least(o.started_at, d.started_at) AT TIME ZONE 'UTC')::date,
    o.calls + coalesce(d.calls, 0), o.errors + coalesce(d.errors, 0), o.unpriced + coalesce(d.unpriced, 0), o.outcome,
    o.rescued,
    coalesce(o.cost + d.cost, o.cost, d.cost), coalesce(o.outcome_value + d.value, o.outcome_value, d.value),
    o.signs | coalesce(d.signs, 0)
FROM run_delta o
JOIN touched t ON t.project_id = o.project_id AND t.trace = o.id AND t.large
LEFT JOIN (  -- nothing: its outcome was told
    SELECT project_id, trace, min(started_at) AS started_at,
        max(started_at + coalesce(duration_us, 0) * interval '1 microsecond') AS ended_at,
        sum(sign) AS calls, coalesce(sum(sign) FILTER (WHERE error_class <> 0), 0) AS errors,
        coalesce(sum(sign) FILTER (WHERE cost_status IN (2, 3, 4, 5, 7)), 0) AS unpriced,
        sum(sign * (coalesce(input, 0)::bigint + coalesce(cache_read, 0) + coalesce(cache_write, 0)
            + coalesce(cache_write_1h, 0) + coalesce(audio_input, 0))) AS input,
        sum(sign * (coalesce(output, 0)::bigint + coalesce(reasoning, 0) + coalesce(audio_output, 0))) AS output,
        sum(sign * call_cost(cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit))
            AS cost,
        sum(sign * outcome_value) AS value,
        bit_or(CASE WHEN finish = 2 THEN 1 ELSE 0 END | CASE WHEN finish = 4 OR error_class = 7 THEN 2 ELSE 0 END
            | CASE WHEN finish = 1 AND error_class = 0 AND output = 0 AND coalesce(audio_output, 0) = 0
                THEN 4 ELSE 0 END) AS signs
    FROM delta WHERE trace IS NOT NULL GROUP BY 1, 2) AS d ON d.project_id = o.project_id AND d.trace = o.id
WHERE o.sign = -1 AND o.calls + coalesce(d.calls, 0) > 0
