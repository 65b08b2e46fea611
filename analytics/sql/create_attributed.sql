-- Purpose: the temporary table of calls that get another series, emptied at every commit. Safe to re-run.
CREATE TEMP TABLE IF NOT EXISTS attributed (started_at timestamptz, id uuid, series_id bigint) ON COMMIT DELETE ROWS
