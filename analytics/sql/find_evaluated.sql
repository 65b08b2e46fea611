-- Purpose: since when each variant (prompt version, model, snapshot, retrieval) was on scored calls of `eval`.
-- Grain: column, value. Reads only the series of that environment, their scores by day. Safe to re-run.
WITH scored AS (
    SELECT s.*, g.first_at, (
        SELECT min(d.day) FROM score_day d WHERE d.project_id = s.project_id AND d.series_id = s.id AND d.n > 0) AS day
    FROM series s JOIN sighting g ON g.project_id = s.project_id AND g.series_id = s.id
    WHERE s.project_id = %(project)s AND s.environment = 'eval')
SELECT v.name, v.value, min(greatest(s.first_at, s.day::timestamp AT TIME ZONE 'UTC'))
FROM scored s
CROSS JOIN LATERAL (VALUES
    ('prompt_version', s.prompt_version), ('model', s.model), ('response_model', s.response_model),
    ('retrieval', s.retrieval)) AS v(name, value)
WHERE s.day IS NOT NULL AND v.value IS NOT NULL
GROUP BY 1, 2
