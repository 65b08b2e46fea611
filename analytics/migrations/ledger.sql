-- The big tables: project_id leads every key, no relations, PG 15 SQL, nothing that a distributed Postgres refuses.

-- One distinct combination of what can change. id = first 8 bytes of a hash of all of it: no look-up is needed to know it.
-- coarse_id names the series that has only environment, flow, provider and model (customer rollups use it).
CREATE TABLE series (
    project_id int NOT NULL, id bigint NOT NULL, coarse_id bigint NOT NULL,
    environment text NOT NULL, flow_id bigint NOT NULL,
    step text, operation text, provider text, model text, response_model text, service_tier text,
    prompt text, prompt_version text, retrieval text, release text, tags jsonb,
    first_seen_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, id));

-- Names of customers (kind 1), users (2) and sessions (3) of calls without a trace (others are named on their runs);
-- id = hash of the name.
CREATE TABLE name (
    project_id int NOT NULL, kind smallint NOT NULL, id bigint NOT NULL, value text NOT NULL,
    PRIMARY KEY (project_id, kind, id));

CREATE TABLE tag_set (
    project_id int NOT NULL, id bigint NOT NULL, tags jsonb NOT NULL,
    PRIMARY KEY (project_id, id));

-- The ledger. Fixed-width columns first, no index on what can be corrected, room on the page for corrections.
CREATE TABLE call (
    started_at timestamptz NOT NULL, received_at timestamptz NOT NULL,
    series_id bigint NOT NULL, customer_id bigint, user_id bigint, session_id bigint, tag_set_id bigint,
    duration_us bigint, ttft_us bigint, id uuid NOT NULL, trace uuid,
    project_id int NOT NULL,
    input int, cache_read int, cache_write int, cache_write_1h int, output int, reasoning int,
    audio_input int, audio_output int, price_id int, import_batch int,
    cost_status smallint NOT NULL, error_class smallint NOT NULL, finish smallint NOT NULL,
    attempt smallint NOT NULL, duplicates smallint NOT NULL, wasted boolean NOT NULL, outcome boolean,
    cost_input numeric, cost_cache_read numeric, cost_cache_write numeric, cost_output numeric,
    cost_other numeric, cost_unsplit numeric, reported_cost numeric, estimated_cost numeric, outcome_value numeric,
    other_units jsonb, raw_id text, error_type text, raw_flow text, currency text,
    response_id text, fingerprint text,
    PRIMARY KEY (project_id, started_at, id)
) PARTITION BY RANGE (started_at);
-- A run's calls; a trace that is resolved again. The time is in it so that Postgres takes no other index for that.
CREATE INDEX call_trace ON call (project_id, trace, started_at) WHERE trace IS NOT NULL;

CREATE TABLE span (
    started_at timestamptz NOT NULL, trace uuid NOT NULL, project_id int NOT NULL, span bytea NOT NULL,
    copies smallint NOT NULL, record bytea NOT NULL,
    PRIMARY KEY (project_id, trace, span, started_at)
) PARTITION BY RANGE (started_at);

CREATE TABLE content (
    started_at timestamptz NOT NULL, id uuid NOT NULL, project_id int NOT NULL,
    input bytea, output bytea, provider_usage bytea,  -- zstd; messages of log events may stand in rows of their own
    PRIMARY KEY (project_id, id, started_at)
) PARTITION BY RANGE (started_at);

CREATE TABLE run (
    started_at timestamptz NOT NULL, ended_at timestamptz NOT NULL,
    id uuid NOT NULL, series_id bigint NOT NULL, flow_id bigint NOT NULL,
    customer_id bigint, user_id bigint, session_id bigint, duration_us bigint,
    input bigint, output bigint, project_id int NOT NULL, first_day date NOT NULL,
    calls int NOT NULL, errors int NOT NULL, unpriced int NOT NULL, outcome smallint NOT NULL,
    rescued boolean NOT NULL, cost numeric, outcome_value numeric, raw_id text, session text,
    -- what the spans of the trace say, where there are any: kept when only calls change
    trace_started_at timestamptz, trace_ended_at timestamptz, trace_outcome smallint, trace_rescued boolean,
    PRIMARY KEY (project_id, first_day, id)
) PARTITION BY RANGE (first_day);
CREATE INDEX run_id ON run (project_id, id);              -- one run by its id
CREATE INDEX run_newest ON run (project_id, started_at);  -- lists, newest first
CREATE INDEX run_session ON run (project_id, session_id) WHERE session_id IS NOT NULL;  -- a session's runs

CREATE SEQUENCE ledger_batch;

CREATE TABLE usage (
    project_id int NOT NULL, bucket timestamptz NOT NULL, series_id bigint NOT NULL, error_class smallint NOT NULL,
    batch bigint NOT NULL,
    calls bigint NOT NULL, duplicates bigint NOT NULL, partial bigint NOT NULL, unpriced bigint NOT NULL,
    input bigint, cache_read bigint, cache_write bigint, cache_write_1h bigint, output bigint, reasoning bigint,
    audio_input bigint, audio_output bigint, timed_output bigint, timed_us bigint,
    cost_input numeric, cost_cache_read numeric, cost_cache_write numeric, cost_output numeric, cost_other numeric,
    cost_unsplit numeric, wasted numeric, latency bytea, ttft bytea,
    PRIMARY KEY (project_id, bucket, series_id, error_class, batch));
CREATE INDEX usage_unfolded ON usage (project_id, bucket) WHERE batch <> 0;  -- what compaction has to fold

CREATE TABLE usage_day (LIKE usage INCLUDING DEFAULTS);
ALTER TABLE usage_day DROP COLUMN bucket;
ALTER TABLE usage_day ADD COLUMN day date NOT NULL;
ALTER TABLE usage_day ADD PRIMARY KEY (project_id, day, series_id, error_class, batch);
CREATE INDEX usage_day_unfolded ON usage_day (project_id, day) WHERE batch <> 0;

CREATE TABLE customer_bucket (
    project_id int NOT NULL, bucket timestamptz NOT NULL, customer_id bigint NOT NULL, series_id bigint NOT NULL,
    batch bigint NOT NULL,
    calls bigint NOT NULL, errors bigint NOT NULL, duplicates bigint NOT NULL, partial bigint NOT NULL, unpriced bigint NOT NULL,
    input bigint, cache_read bigint, cache_write bigint, cache_write_1h bigint, output bigint, reasoning bigint,
    audio_input bigint, audio_output bigint, timed_output bigint, timed_us bigint,
    cost_input numeric, cost_cache_read numeric, cost_cache_write numeric, cost_output numeric, cost_other numeric,
    cost_unsplit numeric, wasted numeric,
    PRIMARY KEY (project_id, bucket, customer_id, series_id, batch));
CREATE INDEX customer_bucket_unfolded ON customer_bucket (project_id, bucket) WHERE batch <> 0;

CREATE TABLE customer_day (LIKE customer_bucket INCLUDING DEFAULTS);
ALTER TABLE customer_day DROP COLUMN bucket;
ALTER TABLE customer_day ADD COLUMN day date NOT NULL;
ALTER TABLE customer_day ADD PRIMARY KEY (project_id, day, customer_id, series_id, batch);
CREATE INDEX customer_day_unfolded ON customer_day (project_id, day) WHERE batch <> 0;

CREATE TABLE run_bucket (
    project_id int NOT NULL, bucket timestamptz NOT NULL, series_id bigint NOT NULL, batch bigint NOT NULL,
    runs bigint NOT NULL, successes bigint NOT NULL, failures bigint NOT NULL, rescued bigint NOT NULL,
    cost numeric, value numeric, duration bytea, cost_histogram bytea,
    PRIMARY KEY (project_id, bucket, series_id, batch));
CREATE INDEX run_bucket_unfolded ON run_bucket (project_id, bucket) WHERE batch <> 0;

CREATE TABLE run_day (LIKE run_bucket INCLUDING DEFAULTS);
ALTER TABLE run_day DROP COLUMN bucket;
ALTER TABLE run_day ADD COLUMN day date NOT NULL;
ALTER TABLE run_day ADD PRIMARY KEY (project_id, day, series_id, batch);
CREATE INDEX run_day_unfolded ON run_day (project_id, day) WHERE batch <> 0;

-- Distinct users and customers of a day by a mergeable sketch (analytics/sketch.py); flow_id -1 = all flows.
CREATE TABLE audience_day (
    project_id int NOT NULL, day date NOT NULL, environment text NOT NULL, flow_id bigint NOT NULL,
    users bytea NOT NULL, customers bytea NOT NULL,
    PRIMARY KEY (project_id, day, environment, flow_id));

-- The slowest (kind 1) and costliest (2) runs of each quarter hour; run = id of the run, or of a call that is one.
CREATE TABLE exemplar (
    project_id int NOT NULL, bucket timestamptz NOT NULL, environment text NOT NULL, flow_id bigint NOT NULL,
    kind smallint NOT NULL, run uuid NOT NULL, value double precision NOT NULL, started_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, bucket, environment, flow_id, kind, run));

-- Which batch each lane works on, written before it: a batch that kills its loader is found out (analytics/load.py).
CREATE TABLE lane (lane smallint PRIMARY KEY, first_id bigint NOT NULL, attempts int NOT NULL, careful_until bigint NOT NULL);

-- Who was alive when: worker and beat, for /readyz.
CREATE TABLE heartbeat (name text PRIMARY KEY, at timestamptz NOT NULL);

-- Days whose sketches and exemplars a correction made stale; they are built again.
CREATE TABLE dirty_day (
    project_id int NOT NULL, day date NOT NULL,
    PRIMARY KEY (project_id, day));

-- What a call cost: the sum of its kinds; null = nothing known.
CREATE FUNCTION call_cost(a numeric, b numeric, c numeric, d numeric, e numeric, f numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN coalesce(a, b, c, d, e, f) IS NOT NULL
     THEN coalesce(a, 0) + coalesce(b, 0) + coalesce(c, 0) + coalesce(d, 0) + coalesce(e, 0) + coalesce(f, 0) END $$;

-- The day that an instant belongs to: a change of zone applies from a midnight on (accounts/zones.py).
CREATE FUNCTION day_in(zone text, earlier jsonb, at timestamptz) RETURNS date LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT (at AT TIME ZONE CASE WHEN earlier = '[]'::jsonb THEN zone ELSE coalesce(
     (SELECT e.value ->> 'zone' FROM jsonb_array_elements(earlier) WITH ORDINALITY AS e(value, place)
      WHERE at < (e.value ->> 'until')::timestamptz ORDER BY e.place LIMIT 1), zone) END)::date $$;

-- 1 % log buckets (gamma 1.02) of microseconds shown as milliseconds, or of USD; zero and below = -32768.
CREATE FUNCTION log_bucket(value double precision) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN value <= 0 THEN -32768 ELSE greatest(-32767, least(32767, ceil(ln(value) / 0.01980262729617973))) END::smallint $$;

-- Packed histograms are pairs (int16 bucket, int32 signed count); concatenation merges, folding adds equal buckets.
CREATE FUNCTION fold_histogram(packed bytea) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT string_agg(b || int4send(n), ''::bytea ORDER BY b) FROM (
     SELECT b, sum(n)::int AS n FROM (
       SELECT substring(packed FROM i FOR 2) AS b,
              (get_byte(packed, i + 1) << 24) | (get_byte(packed, i + 2) << 16)
              | (get_byte(packed, i + 3) << 8) | get_byte(packed, i + 4) AS n
       FROM generate_series(1, length(packed), 6) AS i) AS pairs
     GROUP BY b HAVING sum(n) <> 0) AS folded $$;

-- Folds what is worth it: a call of the function above costs more than twenty pairs are long.
CREATE FUNCTION compact_histogram(packed bytea) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN length(packed) > 120 THEN fold_histogram(packed) ELSE packed END $$;
