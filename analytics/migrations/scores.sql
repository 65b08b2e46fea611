-- Scores, outcomes that were told apart from their call, and their rollups. Keyed by project first, no relations.

-- Who scores: one name, source and judge's version. Unlike scorers are never averaged together.
-- id = hash of the three (analytics/scores_stage.py).
CREATE TABLE scorer (
    project_id int NOT NULL, id bigint NOT NULL, name text NOT NULL, source text NOT NULL, judge_version text,
    first_seen_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, id));

-- One score. What it was given to, as sent: a call by call_at or by its run (call_alt: the key that the same id has as
-- a span of that trace), else a run (call_alt: the key of a call without a trace that has that id), else a session.
-- What it was found to belong to: series_id, at (start of its call or run: the score counts there), bound_call,
-- bound_run; series_id null = the target has not come yet.
CREATE TABLE score (
    scored_at timestamptz NOT NULL, received_at timestamptz NOT NULL, call_at timestamptz, at timestamptz,
    scorer_id bigint NOT NULL, session_id bigint, series_id bigint,
    id uuid NOT NULL, call uuid, call_alt uuid, run uuid, bound_call uuid, bound_run uuid,
    project_id int NOT NULL, import_batch int,
    value numeric, label text, raw_id text, target text, comment text,
    PRIMARY KEY (project_id, id));
CREATE INDEX score_call ON score (project_id, call) WHERE call IS NOT NULL;              -- its call comes, or changes
CREATE INDEX score_call_alt ON score (project_id, call_alt) WHERE call_alt IS NOT NULL;
CREATE INDEX score_run ON score (project_id, run) WHERE run IS NOT NULL;                 -- its run comes, or changes
CREATE INDEX score_session ON score (project_id, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX score_time ON score (project_id, at) WHERE at IS NOT NULL;                  -- rebuild, verify, the worst of a period
CREATE INDEX score_waiting ON score (project_id, received_at) WHERE series_id IS NULL;   -- orphans, oldest first

-- What a run came to, told apart from its calls; the later wins. run = key of the run, lone = that of a call without a
-- trace that has this id. found_at null = the run has not come yet.
CREATE TABLE outcome (
    told_at timestamptz NOT NULL, received_at timestamptz NOT NULL, found_at timestamptz,
    run uuid NOT NULL, lone uuid NOT NULL, project_id int NOT NULL, success boolean, value numeric, raw_id text,
    PRIMARY KEY (project_id, run));
CREATE INDEX outcome_lone ON outcome (project_id, lone);
CREATE INDEX outcome_waiting ON outcome (project_id, received_at) WHERE found_at IS NULL;

-- judged: scores of which the definition says whether they pass; counts: packed pairs (int16 bin, int32 signed count),
-- bin = 0/1, the place of a label, or one of 100 of the definition's range.
CREATE TABLE score_bucket (
    project_id int NOT NULL, bucket timestamptz NOT NULL, series_id bigint NOT NULL, scorer_id bigint NOT NULL,
    batch bigint NOT NULL,
    n bigint NOT NULL, judged bigint NOT NULL, passed bigint NOT NULL, sum numeric, squares numeric, counts bytea,
    PRIMARY KEY (project_id, bucket, series_id, scorer_id, batch));
CREATE INDEX score_bucket_unfolded ON score_bucket (project_id, bucket) WHERE batch <> 0;

CREATE TABLE score_day (LIKE score_bucket INCLUDING DEFAULTS);
ALTER TABLE score_day DROP COLUMN bucket;
ALTER TABLE score_day ADD COLUMN day date NOT NULL;
ALTER TABLE score_day ADD PRIMARY KEY (project_id, day, series_id, scorer_id, batch);
CREATE INDEX score_day_unfolded ON score_day (project_id, day) WHERE batch <> 0;

-- Quality without an evaluator: runs in which something is wrong on the face of it, by what it is. Runs without are in
-- run_bucket only. The signs of a run: 1 cut off, 2 filtered, 4 empty answer; 8 (failed tool) comes from its spans.
ALTER TABLE run ADD COLUMN signs smallint NOT NULL DEFAULT 0, ADD COLUMN trace_signs smallint;

CREATE TABLE sign_bucket (
    project_id int NOT NULL, bucket timestamptz NOT NULL, series_id bigint NOT NULL, batch bigint NOT NULL,
    flagged bigint NOT NULL, cut_off bigint NOT NULL, filtered bigint NOT NULL, empty_answer bigint NOT NULL,
    failed_tool bigint NOT NULL,
    PRIMARY KEY (project_id, bucket, series_id, batch));
CREATE INDEX sign_bucket_unfolded ON sign_bucket (project_id, bucket) WHERE batch <> 0;

CREATE TABLE sign_day (LIKE sign_bucket INCLUDING DEFAULTS);
ALTER TABLE sign_day DROP COLUMN bucket;
ALTER TABLE sign_day ADD COLUMN day date NOT NULL;
ALTER TABLE sign_day ADD PRIMARY KEY (project_id, day, series_id, batch);
CREATE INDEX sign_day_unfolded ON sign_day (project_id, day) WHERE batch <> 0;

-- Whether a score is good enough by its definition; null where that says nothing.
CREATE FUNCTION score_passes(kind text, good text, threshold numeric, passing text[], value numeric, label text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE
     WHEN kind = 'boolean' THEN (value <> 0) = (good = 'up')
     WHEN kind = 'categorical' THEN CASE WHEN passing = '{}' THEN NULL ELSE label = ANY(passing) END
     WHEN good = 'up' THEN value >= threshold
     ELSE value <= threshold END $$;

-- The bin in which a score is counted; null where the definition has no range. 32767 = a label beyond those known.
CREATE FUNCTION score_bin(kind text, low numeric, high numeric, labels text[], value numeric, label text)
RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (CASE
     WHEN kind = 'boolean' THEN (value <> 0)::int
     WHEN kind = 'categorical' THEN coalesce(array_position(labels, label) - 1, 32767)
     WHEN low < high THEN least(99, greatest(0, floor((value - low) * 100 / (high - low)))) END)::smallint $$;
