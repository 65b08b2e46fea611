-- Purpose: runs that were there are gathered again whole, however long they are.
UPDATE touched t SET lo = least(t.lo, o.started_at), hi = greatest(t.hi, o.ended_at)
FROM run_delta o WHERE o.project_id = t.project_id AND o.id = t.trace
