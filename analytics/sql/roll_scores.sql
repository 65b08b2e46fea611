-- Purpose: what score_delta changes, appended to score_bucket and score_day, judged by the definitions of now.
-- Grain: project, quarter hour of the score's call or run, series, scorer, batch.
WITH told AS (
    SELECT d.sign, d.project_id, date_bin('15 minutes', d.at, timestamptz '2000-01-01Z') AS bucket, d.series_id,
        d.scorer_id, CASE WHEN f.kind <> 'categorical' THEN d.value END AS value,
        score_passes(f.kind, f.good, f.threshold, f.passing, d.value, d.label) AS passes,
        score_bin(f.kind, f.low, f.high, f.labels, d.value, d.label) AS bin
    FROM score_delta d
    JOIN scorer k ON k.project_id = d.project_id AND k.id = d.scorer_id
    JOIN score_definition f ON f.project_id = k.project_id AND f.name = k.name),
q AS MATERIALIZED (
    SELECT
        project_id, bucket, series_id, scorer_id, sum(sign) AS n,
        coalesce(sum(sign) FILTER (WHERE passes IS NOT NULL), 0) AS judged,
        coalesce(sum(sign) FILTER (WHERE passes), 0) AS passed,
        sum(sign * value) AS sum, sum(sign * value * value) AS squares,
        string_agg(int2send(bin) || int4send(sign), ''::bytea) FILTER (WHERE bin IS NOT NULL) AS counts
    FROM told GROUP BY 1, 2, 3, 4),
days AS MATERIALIZED (
    SELECT k.project_id, k.bucket, day_in(p.zone, p.earlier_zones, k.bucket) AS day
    FROM (SELECT DISTINCT project_id, bucket FROM q) AS k JOIN accounts_project p ON p.id = k.project_id),
quarters AS (
    INSERT INTO score_bucket (
        project_id, bucket, series_id, scorer_id, batch, n, judged, passed, sum, squares, counts)
    SELECT project_id, bucket, series_id, scorer_id, %(batch)s, n, judged, passed, sum, squares, counts
    FROM q WHERE bucket >= %(kept_from)s)
INSERT INTO score_day (project_id, day, series_id, scorer_id, batch, n, judged, passed, sum, squares, counts)
SELECT
    q.project_id, y.day, q.series_id, q.scorer_id, %(batch)s, sum(q.n), sum(q.judged), sum(q.passed), sum(q.sum),
    sum(q.squares), string_agg(q.counts, ''::bytea)
FROM q JOIN days y ON y.project_id = q.project_id AND y.bucket = q.bucket
GROUP BY 1, 2, 3, 4
