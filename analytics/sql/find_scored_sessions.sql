-- Purpose: the last run of a session before the score was given: a trace, or a call without one of the two days before
-- (only sessions of such calls have a name of kind 3). Index: run_session, primary key of call.
INSERT INTO score_found (id, at, series_id, bound_call, bound_run)
SELECT s.id, r.started_at, r.series_id, r.call, r.run
FROM score_open o JOIN score s ON s.project_id = o.project_id AND s.id = o.id
CROSS JOIN LATERAL (
    SELECT * FROM (
        (SELECT found.started_at, found.series_id, NULL::uuid AS call, found.id AS run FROM run AS found
         WHERE found.project_id = %(project)s AND found.session_id = s.session_id
           AND found.started_at <= s.scored_at
           AND found.first_day BETWEEN (%(lo)s AT TIME ZONE 'UTC')::date - 1 AND (%(hi)s AT TIME ZONE 'UTC')::date
         ORDER BY found.started_at DESC LIMIT 1)
        UNION ALL
        (SELECT lone.started_at, lone.series_id, lone.id, NULL FROM call AS lone
         WHERE lone.project_id = %(project)s AND lone.session_id = s.session_id AND lone.trace IS NULL
           AND lone.started_at <= s.scored_at AND lone.started_at > s.scored_at - interval '2 days'
           AND lone.started_at BETWEEN %(lo)s AND %(hi)s
           AND EXISTS (SELECT FROM name n
                       WHERE n.project_id = %(project)s AND n.kind = 3 AND n.id = s.session_id)
         ORDER BY lone.started_at DESC LIMIT 1)) AS either
    ORDER BY started_at DESC LIMIT 1) AS r
WHERE o.project_id = %(project)s AND s.series_id IS NULL AND s.session_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM score_found f WHERE f.id = s.id)
