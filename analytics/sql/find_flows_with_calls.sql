-- Purpose: which of these raw flow names have calls at all. Grain: flow. Day rows outlive everything else.
SELECT s.flow_id FROM series s JOIN usage_day u ON u.project_id = s.project_id AND u.series_id = s.id
WHERE s.project_id = %(project)s AND s.flow_id = ANY(%(flows)s::bigint[])
GROUP BY s.flow_id HAVING sum(u.calls) <> 0
