-- Purpose: since when each variant (prompt version, model, snapshot, retrieval) was seen on calls of `eval`.
-- Grain: column, value. Reads only the series of that environment. Safe to re-run.
SELECT v.name, v.value, min(g.first_at)
FROM series s
JOIN sighting g ON g.project_id = s.project_id AND g.series_id = s.id
CROSS JOIN LATERAL (VALUES
    ('prompt_version', s.prompt_version), ('model', s.model), ('response_model', s.response_model),
    ('retrieval', s.retrieval)) AS v(name, value)
WHERE s.project_id = %(project)s AND s.environment = 'eval' AND v.value IS NOT NULL
GROUP BY 1, 2
