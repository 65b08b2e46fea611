-- Purpose: the rows that a failed batch can have held are loaded one by one.
UPDATE lane SET careful_until = (
    SELECT max(id) FROM (SELECT id FROM inbox WHERE lane = %(lane)s ORDER BY id LIMIT %(most)s) AS held)
WHERE lane = %(lane)s
