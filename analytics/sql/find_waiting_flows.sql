-- Purpose: flow names that calls of a stretch of time have kept, with most calls first. Index: primary key of call.
SELECT c.raw_flow, count(*), min(c.started_at), max(c.started_at) FROM call c
WHERE c.project_id = %(project)s AND c.started_at BETWEEN %(first)s AND %(last)s AND c.raw_flow IS NOT NULL
GROUP BY c.raw_flow ORDER BY count(*) DESC, c.raw_flow LIMIT 10000
