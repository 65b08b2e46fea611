-- Purpose: the first and last day (project's zone) that a project has calls or rollups of.
SELECT min(day), max(day) FROM (
    SELECT (min(started_at) AT TIME ZONE %(zone)s)::date AS day FROM call WHERE project_id = %(project)s
    UNION ALL SELECT (max(started_at) AT TIME ZONE %(zone)s)::date FROM call WHERE project_id = %(project)s
    UNION ALL SELECT min(day) FROM usage_day WHERE project_id = %(project)s
    UNION ALL SELECT max(day) FROM usage_day WHERE project_id = %(project)s) AS found
