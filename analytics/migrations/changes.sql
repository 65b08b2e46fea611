-- When the first call of each series began, kept by the loader in the transaction of the load (sql/note_sightings.sql):
-- a change is dated at its first call, whenever that arrives.
CREATE TABLE sighting (
    project_id int NOT NULL, series_id bigint NOT NULL, first_at timestamptz NOT NULL,
    news boolean NOT NULL,      -- nobody has looked at it since it was new or became earlier
    doubtful boolean NOT NULL,  -- the first call left the series (corrected, undone): to be looked up again
    PRIMARY KEY (project_id, series_id));
CREATE INDEX sighting_news ON sighting (project_id) WHERE news;  -- what the next look has to read
-- A ledger that was there before: its own history of changes is noticed at the first look.
INSERT INTO sighting (project_id, series_id, first_at, news, doubtful)
SELECT project_id, series_id, min(started_at), true, false FROM call GROUP BY project_id, series_id;
