-- Purpose: the temporary tables of one load, emptied at every commit. Safe to re-run.
CREATE TEMP TABLE IF NOT EXISTS stage (
    mode smallint NOT NULL,  -- 0 insert if new, 1 make it so, 2 take out (analytics/stage.py)
    started_us bigint NOT NULL, received_us bigint NOT NULL,
    series_id bigint, customer_id bigint, user_id bigint, session_id bigint, tag_set_id bigint,
    duration_us bigint, ttft_us bigint, id uuid, trace uuid, project_id int,
    input int, cache_read int, cache_write int, cache_write_1h int, output int, reasoning int,
    audio_input int, audio_output int, price_id int, import_batch int,
    cost_status smallint, error_class smallint, finish smallint, attempt smallint, duplicates smallint,
    wasted boolean, outcome boolean,
    cost_input numeric, cost_cache_read numeric, cost_cache_write numeric, cost_output numeric,
    cost_other numeric, cost_unsplit numeric, reported_cost numeric, estimated_cost numeric, outcome_value numeric,
    other_units jsonb, raw_id text, error_type text, raw_flow text, currency text, response_id text, fingerprint text,
    started_at timestamptz GENERATED ALWAYS AS
        ((timestamp 'epoch' + started_us * interval '1 microsecond') AT TIME ZONE 'UTC') STORED,
    received_at timestamptz GENERATED ALWAYS AS
        ((timestamp 'epoch' + received_us * interval '1 microsecond') AT TIME ZONE 'UTC') STORED
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS delta (sign smallint NOT NULL, LIKE call) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS touched (
    project_id int, trace uuid, lo timestamptz, hi timestamptz, large boolean) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS run_new (series_set bigint[], LIKE run) ON COMMIT DELETE ROWS;
ALTER TABLE run_new ALTER COLUMN series_id DROP NOT NULL;
ALTER TABLE run_new ALTER COLUMN signs DROP NOT NULL;
CREATE TEMP TABLE IF NOT EXISTS run_name (
    project_id int, id uuid, raw_id text, session text, trace_started_us bigint, trace_ended_us bigint,
    trace_outcome smallint, trace_rescued boolean, trace_signs smallint) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS series_of_set (project_id int, series_set bigint[], series_id bigint, flow_id bigint) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS run_delta (sign smallint NOT NULL, LIKE run) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS span_stage (
    started_us bigint NOT NULL, trace uuid NOT NULL, project_id int NOT NULL, span bytea NOT NULL,
    copies smallint NOT NULL, record bytea NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS score_stage (LIKE score) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS score_open (project_id int NOT NULL, id uuid NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS score_found (
    id uuid NOT NULL, at timestamptz, series_id bigint, bound_call uuid, bound_run uuid) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS score_delta (
    sign smallint NOT NULL, project_id int, scorer_id bigint, series_id bigint, at timestamptz, value numeric,
    label text) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS outcome_stage (LIKE outcome) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS repriced (
    started_at timestamptz, id uuid, price_id int, cost_status smallint, cost_input numeric, cost_cache_read numeric,
    cost_cache_write numeric, cost_output numeric, cost_other numeric, cost_unsplit numeric) ON COMMIT DELETE ROWS
