-- Purpose: spans enter the store; of two copies the longer record stays, and copies are counted.
INSERT INTO span AS s (started_at, trace, project_id, span, copies, record)
SELECT (timestamp 'epoch' + started_us * interval '1 microsecond') AT TIME ZONE 'UTC', trace, project_id, span,
    copies, record
FROM span_stage
ON CONFLICT (project_id, trace, span, started_at) DO UPDATE SET
    copies = least(32767, s.copies + excluded.copies),
    record = CASE WHEN length(excluded.record) > length(s.record) THEN excluded.record ELSE s.record END
