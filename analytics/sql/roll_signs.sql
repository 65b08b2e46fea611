-- Purpose: runs in which something is wrong on the face of it (run_delta, and calls without a trace), appended to
-- sign_bucket and sign_day. Runs without a sign add nothing. Grain: project, quarter hour of the run's start, run series.
-- Signs: 1 cut off (finish 2), 2 filtered (finish 4, error class 7), 4 empty answer (ended by itself, nothing said),
-- 8 failed tool (spans). The same of a run's calls: gather_runs.sql.
WITH signed AS (
    SELECT sign, project_id, started_at, series_id, signs | coalesce(trace_signs, 0) AS signs FROM run_delta
    UNION ALL
    SELECT sign, project_id, started_at, series_id,
        CASE WHEN finish = 2 THEN 1 ELSE 0 END | CASE WHEN finish = 4 OR error_class = 7 THEN 2 ELSE 0 END
        | CASE WHEN finish = 1 AND error_class = 0 AND output = 0 AND coalesce(audio_output, 0) = 0 THEN 4 ELSE 0 END
    FROM delta WHERE trace IS NULL AND (finish IN (1, 2, 4) OR error_class = 7)),
q AS MATERIALIZED (
    SELECT
        project_id, date_bin('15 minutes', started_at, timestamptz '2000-01-01Z') AS bucket, series_id,
        sum(sign) AS flagged,
        coalesce(sum(sign) FILTER (WHERE signs & 1 <> 0), 0) AS cut_off,
        coalesce(sum(sign) FILTER (WHERE signs & 2 <> 0), 0) AS filtered,
        coalesce(sum(sign) FILTER (WHERE signs & 4 <> 0), 0) AS empty_answer,
        coalesce(sum(sign) FILTER (WHERE signs & 8 <> 0), 0) AS failed_tool
    FROM signed WHERE signs <> 0 GROUP BY 1, 2, 3),
days AS MATERIALIZED (
    SELECT k.project_id, k.bucket, day_in(p.zone, p.earlier_zones, k.bucket) AS day
    FROM (SELECT DISTINCT project_id, bucket FROM q) AS k JOIN accounts_project p ON p.id = k.project_id),
quarters AS (
    INSERT INTO sign_bucket (
        project_id, bucket, series_id, batch, flagged, cut_off, filtered, empty_answer, failed_tool)
    SELECT project_id, bucket, series_id, %(batch)s, flagged, cut_off, filtered, empty_answer, failed_tool
    FROM q WHERE bucket >= %(kept_from)s)
INSERT INTO sign_day (project_id, day, series_id, batch, flagged, cut_off, filtered, empty_answer, failed_tool)
SELECT
    q.project_id, y.day, q.series_id, %(batch)s, sum(q.flagged), sum(q.cut_off), sum(q.filtered),
    sum(q.empty_answer), sum(q.failed_tool)
FROM q JOIN days y ON y.project_id = q.project_id AND y.bucket = q.bucket
GROUP BY 1, 2, 3
