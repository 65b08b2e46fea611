-- Purpose: calls of a stretch of time with all that their price depends on, in the order of the primary key.
SELECT c.started_at, c.id, c.input, c.cache_read, c.cache_write, c.cache_write_1h, c.output, c.reasoning,
    c.audio_input, c.audio_output, c.other_units::text, c.error_class, c.reported_cost, c.currency,
    s.provider, s.model, s.response_model, s.service_tier, s.flow_id,
    c.price_id, c.cost_status, c.cost_input, c.cost_cache_read, c.cost_cache_write, c.cost_output, c.cost_other,
    c.cost_unsplit
FROM call c JOIN series s ON s.project_id = c.project_id AND s.id = c.series_id
WHERE c.project_id = %(project)s AND c.started_at >= %(start)s AND c.started_at < %(end)s
  AND (c.started_at, c.id) > (%(after_at)s, %(after_id)s)
ORDER BY c.project_id, c.started_at, c.id LIMIT %(most)s
