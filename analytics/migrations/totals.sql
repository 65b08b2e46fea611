-- total() is sum() that stays in its type: sum(bigint) gives numeric, which is made bigint again for every column of
-- every row of a rollup, and sum(numeric) sets up an accumulator for groups that have one or two members.
-- Null where nothing is known, as sum(). A bigint that overflows is an error and not another type.
CREATE AGGREGATE total(bigint) (SFUNC = int8pl, STYPE = int8, COMBINEFUNC = int8pl, PARALLEL = SAFE);
CREATE AGGREGATE total(numeric) (SFUNC = numeric_add, STYPE = numeric, COMBINEFUNC = numeric_add, PARALLEL = SAFE);
