-- Coarse rollups: the fine ones without what most questions do not ask for, by quarter hour, day and month of the
-- project's zone. They hold what `batch = 0` says of the fine table, so coarse rows + fine rows with batch <> 0 = all.
-- Kept by the fold (analytics/sql/fold_*.sql), never by a load (docs/decisions/0013).

-- Levels name a group of series: 1 environment, flow, provider, model (coarse_id); 2 environment, flow; 3 environment,
-- provider, model; 4 environment. 3 and 4 also tell what has a flow from what has none.
ALTER TABLE series
    ADD COLUMN by_flow bigint GENERATED ALWAYS AS (
        hashtextextended('2' || chr(31) || environment || chr(31) || flow_id::text, 0)) STORED,
    ADD COLUMN by_model bigint GENERATED ALWAYS AS (
        hashtextextended('3' || chr(31) || environment || chr(31) || (flow_id = 0)::text || chr(31)
            || coalesce(provider, chr(30)) || chr(31) || coalesce(model, chr(30)), 0)) STORED,
    ADD COLUMN by_environment bigint GENERATED ALWAYS AS (
        hashtextextended('4' || chr(31) || environment || chr(31) || (flow_id = 0)::text, 0)) STORED;
CREATE INDEX series_coarse ON series (project_id) WHERE id = coarse_id;

CREATE FUNCTION negate_histogram(packed bytea) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT string_agg(b || int4send(-n), ''::bytea) FROM (
     SELECT substring(packed FROM i FOR 2) AS b,
            (get_byte(packed, i + 1) << 24) | (get_byte(packed, i + 2) << 16)
            | (get_byte(packed, i + 3) << 8) | get_byte(packed, i + 4) AS n
     FROM generate_series(1, length(packed), 6) AS i) AS pairs $$;

LOCK TABLE usage, usage_day, customer_day, run_bucket, run_day IN SHARE ROW EXCLUSIVE MODE;
-- Days that may still run are not in coarse rows: month rows hold days that are over.
UPDATE usage_day SET batch = -1 WHERE batch = 0 AND day >= current_date - 1;
UPDATE customer_day SET batch = -1 WHERE batch = 0 AND day >= current_date - 1;
UPDATE run_day SET batch = -1 WHERE batch = 0 AND day >= current_date - 1;

CREATE TABLE usage_coarse (LIKE usage INCLUDING DEFAULTS);
ALTER TABLE usage_coarse DROP COLUMN batch, ADD COLUMN level smallint NOT NULL,
    ADD PRIMARY KEY (project_id, level, bucket, series_id, error_class);
INSERT INTO usage_coarse (project_id, level, bucket, series_id, error_class,
    calls, duplicates, partial, unpriced, input, cache_read, cache_write, cache_write_1h, output,
    reasoning, audio_input, audio_output, timed_output, timed_us, cost_input, cost_cache_read,
    cost_cache_write, cost_output, cost_other, cost_unsplit, wasted, latency, ttft)
SELECT
    g.project_id, l.level, g.bucket, l.id, g.error_class,
    sum(g.calls), sum(g.duplicates), sum(g.partial), sum(g.unpriced), sum(g.input), sum(g.cache_read),
    sum(g.cache_write), sum(g.cache_write_1h), sum(g.output), sum(g.reasoning), sum(g.audio_input),
    sum(g.audio_output), sum(g.timed_output), sum(g.timed_us), sum(g.cost_input), sum(g.cost_cache_read),
    sum(g.cost_cache_write), sum(g.cost_output), sum(g.cost_other), sum(g.cost_unsplit), sum(g.wasted),
    compact_histogram(string_agg(g.latency, ''::bytea)), compact_histogram(string_agg(g.ttft, ''::bytea))
FROM usage g
JOIN series s ON s.project_id = g.project_id AND s.id = g.series_id
CROSS JOIN LATERAL (VALUES (2, s.by_flow), (3, s.by_model)) AS l (level, id)
WHERE g.batch = 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE usage_coarse_day (LIKE usage_day INCLUDING DEFAULTS);
ALTER TABLE usage_coarse_day DROP COLUMN batch, ADD COLUMN level smallint NOT NULL,
    ADD PRIMARY KEY (project_id, level, day, series_id, error_class);
INSERT INTO usage_coarse_day (project_id, level, day, series_id, error_class,
    calls, duplicates, partial, unpriced, input, cache_read, cache_write, cache_write_1h, output,
    reasoning, audio_input, audio_output, timed_output, timed_us, cost_input, cost_cache_read,
    cost_cache_write, cost_output, cost_other, cost_unsplit, wasted, latency, ttft)
SELECT
    g.project_id, l.level, g.day, l.id, g.error_class,
    sum(g.calls), sum(g.duplicates), sum(g.partial), sum(g.unpriced), sum(g.input), sum(g.cache_read),
    sum(g.cache_write), sum(g.cache_write_1h), sum(g.output), sum(g.reasoning), sum(g.audio_input),
    sum(g.audio_output), sum(g.timed_output), sum(g.timed_us), sum(g.cost_input), sum(g.cost_cache_read),
    sum(g.cost_cache_write), sum(g.cost_output), sum(g.cost_other), sum(g.cost_unsplit), sum(g.wasted),
    compact_histogram(string_agg(g.latency, ''::bytea)), compact_histogram(string_agg(g.ttft, ''::bytea))
FROM usage_day g
JOIN series s ON s.project_id = g.project_id AND s.id = g.series_id
CROSS JOIN LATERAL (VALUES (1, s.coarse_id), (2, s.by_flow), (3, s.by_model)) AS l (level, id)
WHERE g.batch = 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE usage_coarse_month (LIKE usage_coarse_day INCLUDING DEFAULTS);
ALTER TABLE usage_coarse_month DROP COLUMN day, ADD COLUMN month date NOT NULL,
    ADD PRIMARY KEY (project_id, level, month, series_id, error_class);
INSERT INTO usage_coarse_month (project_id, level, month, series_id, error_class,
    calls, duplicates, partial, unpriced, input, cache_read, cache_write, cache_write_1h, output,
    reasoning, audio_input, audio_output, timed_output, timed_us, cost_input, cost_cache_read,
    cost_cache_write, cost_output, cost_other, cost_unsplit, wasted, latency, ttft)
SELECT
    project_id, level, date_trunc('month', day::timestamp)::date, series_id, error_class,
    sum(calls), sum(duplicates), sum(partial), sum(unpriced), sum(input), sum(cache_read),
    sum(cache_write), sum(cache_write_1h), sum(output), sum(reasoning), sum(audio_input),
    sum(audio_output), sum(timed_output), sum(timed_us), sum(cost_input), sum(cost_cache_read),
    sum(cost_cache_write), sum(cost_output), sum(cost_other), sum(cost_unsplit), sum(wasted),
    compact_histogram(string_agg(latency, ''::bytea)), compact_histogram(string_agg(ttft, ''::bytea))
FROM usage_coarse_day
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE customer_coarse_day (LIKE customer_day INCLUDING DEFAULTS);
ALTER TABLE customer_coarse_day DROP COLUMN batch, ADD COLUMN level smallint NOT NULL,
    ADD PRIMARY KEY (project_id, level, day, series_id, customer_id);
INSERT INTO customer_coarse_day (project_id, level, day, series_id, customer_id,
    calls, errors, duplicates, partial, unpriced, input, cache_read, cache_write, cache_write_1h, output,
    reasoning, audio_input, audio_output, timed_output, timed_us, cost_input, cost_cache_read,
    cost_cache_write, cost_output, cost_other, cost_unsplit, wasted)
SELECT
    g.project_id, l.level, g.day, l.id, g.customer_id,
    sum(g.calls), sum(g.errors), sum(g.duplicates), sum(g.partial), sum(g.unpriced), sum(g.input),
    sum(g.cache_read), sum(g.cache_write), sum(g.cache_write_1h), sum(g.output), sum(g.reasoning),
    sum(g.audio_input), sum(g.audio_output), sum(g.timed_output), sum(g.timed_us), sum(g.cost_input),
    sum(g.cost_cache_read), sum(g.cost_cache_write), sum(g.cost_output), sum(g.cost_other),
    sum(g.cost_unsplit), sum(g.wasted)
FROM customer_day g
JOIN series s ON s.project_id = g.project_id AND s.id = g.series_id
CROSS JOIN LATERAL (VALUES (4, s.by_environment)) AS l (level, id)
WHERE g.batch = 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE customer_coarse_month (LIKE customer_coarse_day INCLUDING DEFAULTS);
ALTER TABLE customer_coarse_month DROP COLUMN day, ADD COLUMN month date NOT NULL,
    ADD PRIMARY KEY (project_id, level, month, series_id, customer_id);
INSERT INTO customer_coarse_month (project_id, level, month, series_id, customer_id,
    calls, errors, duplicates, partial, unpriced, input, cache_read, cache_write, cache_write_1h, output,
    reasoning, audio_input, audio_output, timed_output, timed_us, cost_input, cost_cache_read,
    cost_cache_write, cost_output, cost_other, cost_unsplit, wasted)
SELECT
    project_id, level, date_trunc('month', day::timestamp)::date, series_id, customer_id,
    sum(calls), sum(errors), sum(duplicates), sum(partial), sum(unpriced), sum(input), sum(cache_read),
    sum(cache_write), sum(cache_write_1h), sum(output), sum(reasoning), sum(audio_input),
    sum(audio_output), sum(timed_output), sum(timed_us), sum(cost_input), sum(cost_cache_read),
    sum(cost_cache_write), sum(cost_output), sum(cost_other), sum(cost_unsplit), sum(wasted)
FROM customer_coarse_day
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE run_coarse (LIKE run_bucket INCLUDING DEFAULTS);
ALTER TABLE run_coarse DROP COLUMN batch, ADD COLUMN level smallint NOT NULL,
    ADD PRIMARY KEY (project_id, level, bucket, series_id);
INSERT INTO run_coarse (project_id, level, bucket, series_id,
    runs, successes, failures, rescued, cost, value, duration, cost_histogram)
SELECT
    g.project_id, l.level, g.bucket, l.id,
    sum(g.runs), sum(g.successes), sum(g.failures), sum(g.rescued), sum(g.cost), sum(g.value),
    compact_histogram(string_agg(g.duration, ''::bytea)),
    compact_histogram(string_agg(g.cost_histogram, ''::bytea))
FROM run_bucket g
JOIN series s ON s.project_id = g.project_id AND s.id = g.series_id
CROSS JOIN LATERAL (VALUES (2, s.by_flow), (3, s.by_model)) AS l (level, id)
WHERE g.batch = 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE run_coarse_day (LIKE run_day INCLUDING DEFAULTS);
ALTER TABLE run_coarse_day DROP COLUMN batch, ADD COLUMN level smallint NOT NULL,
    ADD PRIMARY KEY (project_id, level, day, series_id);
INSERT INTO run_coarse_day (project_id, level, day, series_id,
    runs, successes, failures, rescued, cost, value, duration, cost_histogram)
SELECT
    g.project_id, l.level, g.day, l.id,
    sum(g.runs), sum(g.successes), sum(g.failures), sum(g.rescued), sum(g.cost), sum(g.value),
    compact_histogram(string_agg(g.duration, ''::bytea)),
    compact_histogram(string_agg(g.cost_histogram, ''::bytea))
FROM run_day g
JOIN series s ON s.project_id = g.project_id AND s.id = g.series_id
CROSS JOIN LATERAL (VALUES (1, s.coarse_id), (2, s.by_flow), (3, s.by_model)) AS l (level, id)
WHERE g.batch = 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE run_coarse_month (LIKE run_coarse_day INCLUDING DEFAULTS);
ALTER TABLE run_coarse_month DROP COLUMN day, ADD COLUMN month date NOT NULL,
    ADD PRIMARY KEY (project_id, level, month, series_id);
INSERT INTO run_coarse_month (project_id, level, month, series_id,
    runs, successes, failures, rescued, cost, value, duration, cost_histogram)
SELECT
    project_id, level, date_trunc('month', day::timestamp)::date, series_id,
    sum(runs), sum(successes), sum(failures), sum(rescued), sum(cost), sum(value),
    compact_histogram(string_agg(duration, ''::bytea)),
    compact_histogram(string_agg(cost_histogram, ''::bytea))
FROM run_coarse_day
GROUP BY 1, 2, 3, 4;
