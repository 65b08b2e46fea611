-- Purpose: the runs of open scores: the newest of that id. A score of a span that is no call (an agent, a tool) belongs
-- to its run once that span is known. Index: run_id, primary key of span.
INSERT INTO score_found (id, at, series_id, bound_call, bound_run)
SELECT s.id, r.started_at, r.series_id, NULL, r.id
FROM score_open o JOIN score s ON s.project_id = o.project_id AND s.id = o.id
CROSS JOIN LATERAL (
    SELECT * FROM run AS found
    WHERE found.project_id = %(project)s AND found.id = s.run
      AND found.first_day BETWEEN (%(lo)s AT TIME ZONE 'UTC')::date - 1 AND (%(hi)s AT TIME ZONE 'UTC')::date
    ORDER BY found.started_at DESC LIMIT 1) AS r
WHERE o.project_id = %(project)s AND s.series_id IS NULL AND s.run IS NOT NULL
  AND (s.call IS NULL OR (s.target ~ '^[0-9a-f]{16}$' AND EXISTS (
        SELECT FROM span p WHERE p.project_id = %(project)s AND p.trace = s.run AND p.span = decode(s.target, 'hex')
          AND p.started_at BETWEEN %(lo)s AND %(hi)s)))
  AND NOT EXISTS (SELECT FROM score_found f WHERE f.id = s.id)
