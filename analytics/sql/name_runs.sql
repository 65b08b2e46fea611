-- Purpose: run_new gets its run series, its name as sent, its session's name, and what the trace's spans say of it;
-- what is not sent again is kept from before. A sent outcome wins, then that of the trace.
WITH told AS (
    SELECT r.project_id, r.id, coalesce(m.series_id, r.series_id) AS series_id,
        coalesce(m.flow_id, r.flow_id) AS flow_id,
        coalesce(n.raw_id, o.raw_id) AS raw_id, coalesce(n.session, o.session) AS session,
        coalesce((timestamp 'epoch' + n.trace_started_us * interval '1 microsecond') AT TIME ZONE 'UTC',
            o.trace_started_at) AS trace_started_at,
        coalesce((timestamp 'epoch' + n.trace_ended_us * interval '1 microsecond') AT TIME ZONE 'UTC',
            o.trace_ended_at) AS trace_ended_at,
        CASE WHEN n.trace_started_us IS NULL THEN o.trace_outcome ELSE n.trace_outcome END AS trace_outcome,
        CASE WHEN n.trace_started_us IS NULL THEN o.trace_rescued ELSE n.trace_rescued END AS trace_rescued,
        CASE WHEN n.trace_started_us IS NULL THEN o.trace_signs ELSE n.trace_signs END AS trace_signs
    FROM run_new r
    LEFT JOIN series_of_set m ON m.project_id = r.project_id AND m.series_set = r.series_set
    LEFT JOIN run_name n ON n.project_id = r.project_id AND n.id = r.id
    LEFT JOIN run_delta o ON o.sign = -1 AND o.project_id = r.project_id AND o.id = r.id)
UPDATE run_new r SET
    series_id = t.series_id, flow_id = t.flow_id, raw_id = t.raw_id, session = t.session,
    trace_started_at = t.trace_started_at, trace_ended_at = t.trace_ended_at,
    trace_outcome = t.trace_outcome, trace_rescued = t.trace_rescued, trace_signs = t.trace_signs,
    started_at = least(r.started_at, t.trace_started_at), ended_at = greatest(r.ended_at, t.trace_ended_at),
    first_day = (least(r.started_at, t.trace_started_at) AT TIME ZONE 'UTC')::date,
    duration_us = CASE WHEN t.trace_started_at IS NULL THEN r.duration_us ELSE
        extract(epoch FROM greatest(r.ended_at, t.trace_ended_at) - least(r.started_at, t.trace_started_at)) * 1000000
        END,
    outcome = CASE WHEN r.outcome <> 0 THEN r.outcome ELSE coalesce(t.trace_outcome, 0) END,
    rescued = coalesce(t.trace_rescued, false)
FROM told t WHERE r.project_id = t.project_id AND r.id = t.id
