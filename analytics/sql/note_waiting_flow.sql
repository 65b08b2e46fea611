-- Purpose: a flow name found no room: when its calls were. Grain: project x name. Safe to re-run.
-- Beyond so many names a project the others share the name ''.
INSERT INTO waiting_flow AS known (project_id, name, first_at, last_at)
SELECT %(project)s, CASE WHEN EXISTS (SELECT FROM waiting_flow w WHERE w.project_id = %(project)s AND w.name = %(name)s)
        OR (SELECT count(*) FROM waiting_flow w WHERE w.project_id = %(project)s AND w.name <> '') < %(most)s THEN %(name)s ELSE '' END,
    %(first)s, %(last)s
ON CONFLICT (project_id, name) DO UPDATE
SET first_at = least(known.first_at, excluded.first_at), last_at = greatest(known.last_at, excluded.last_at)
