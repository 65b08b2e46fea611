-- Flow names that found no room in the queue of new names: calls between these times wait to be attributed.
-- The name '' stands for all names beyond the first few hundred. Written by the loader, emptied when there is room.
CREATE TABLE waiting_flow (
    project_id int NOT NULL, name text NOT NULL, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, name));

-- Find: customers, users and sessions by how their names begin.
CREATE INDEX name_prefix ON name (project_id, kind, lower(left(value, 100)) text_pattern_ops);
