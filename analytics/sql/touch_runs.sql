-- Purpose: the runs whose calls changed, with the time around which their other calls are looked for.
INSERT INTO touched
SELECT project_id, trace, min(started_at) - interval '48 hours', max(started_at) + interval '48 hours', false
FROM delta WHERE trace IS NOT NULL GROUP BY 1, 2
