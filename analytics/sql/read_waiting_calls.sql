-- Purpose: calls that are to get their flow, in the order of the primary key.
SELECT c.started_at, c.id, c.series_id, c.raw_flow FROM call c
WHERE c.project_id = %(project)s AND c.started_at BETWEEN %(first)s AND %(last)s
  AND c.raw_flow = ANY(%(names)s::text[]) AND (c.started_at, c.id) > (%(after_at)s, %(after_id)s)
ORDER BY c.project_id, c.started_at, c.id LIMIT %(most)s
