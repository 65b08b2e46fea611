-- Purpose: runs that were there are gathered again whole, however long they last; large ones (over 2,000 calls) are only
-- added to, else each batch of an endless trace would read all of it again.
UPDATE touched t SET lo = least(t.lo, o.started_at), hi = greatest(t.hi, o.ended_at), large = o.calls > %(large)s
FROM run_delta o WHERE o.project_id = t.project_id AND o.id = t.trace
