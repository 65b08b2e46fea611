-- Purpose: what is stored of some traces, to resolve them again. Index: primary key of span (project, trace).
SELECT trace, span, copies, record FROM span
WHERE project_id = %(project)s AND trace = ANY(%(traces)s::uuid[])
