-- Purpose: which of some calls (unix microseconds and keys, numbered from 1) the ledger has. Index: primary key of call.
SELECT k.number
FROM unnest(%(times)s::bigint[], %(ids)s::uuid[]) WITH ORDINALITY AS k(us, id, number)
JOIN call c ON c.project_id = %(project)s AND c.id = k.id
  AND c.started_at = (timestamp 'epoch' + k.us * interval '1 microsecond') AT TIME ZONE 'UTC'
WHERE c.started_at >= (timestamp 'epoch' + %(first)s * interval '1 microsecond') AT TIME ZONE 'UTC'
  AND c.started_at <= (timestamp 'epoch' + %(last)s * interval '1 microsecond') AT TIME ZONE 'UTC'
