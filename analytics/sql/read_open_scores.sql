-- Purpose: how many open scores are left of each kind, and in which time their targets are looked for first.
SELECT
    count(*) FILTER (WHERE s.call IS NOT NULL) AS calls, count(*) FILTER (WHERE s.run IS NOT NULL) AS runs,
    array_agg(s.call_alt) FILTER (WHERE s.call IS NULL AND s.call_alt IS NOT NULL) AS lone,
    count(*) FILTER (WHERE s.session_id IS NOT NULL) AS sessions,
    min(coalesce(s.call_at, s.scored_at - interval '2 days')), max(coalesce(s.call_at, s.scored_at + interval '1 day')),
    min(s.scored_at) FILTER (WHERE s.call IS NULL)
FROM score_open o JOIN score s ON s.project_id = o.project_id AND s.id = o.id
WHERE o.project_id = %(project)s AND s.series_id IS NULL
  AND NOT EXISTS (SELECT FROM score_found f WHERE f.id = s.id)
