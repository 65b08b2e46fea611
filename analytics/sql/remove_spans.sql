-- Purpose: spans of traces that lost all their calls (delta: sign -1) leave too, or the same trace, imported again,
-- would be taken as known and not be resolved. Index: primary key of span (project, trace), call_trace.
DELETE FROM span s USING (
    SELECT DISTINCT trace FROM delta d WHERE d.sign = -1 AND d.trace IS NOT NULL AND NOT EXISTS (
        SELECT FROM call c WHERE c.project_id = %(project)s AND c.trace = d.trace)) lost
WHERE s.project_id = %(project)s AND s.trace = lost.trace
