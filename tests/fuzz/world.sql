CREATE TABLE t (id integer PRIMARY KEY, a integer, b text);
INSERT INTO t SELECT n, n % 3, 'row ' || n FROM generate_series(1, 9) AS n;
CREATE TABLE u (id integer PRIMARY KEY, a integer);
INSERT INTO u SELECT id, a FROM t;
CREATE SEQUENCE s;
CREATE TYPE mood AS ENUM ('ok', '1');
CREATE DOMAIN small AS integer CHECK (VALUE < 5000);
CREATE VIEW v AS SELECT id, a FROM t;
CREATE FUNCTION sly(anyelement) RETURNS anyelement LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM u; RETURN $1; END $$;
CREATE VIEW sly_view AS SELECT sly(id) AS id, a FROM t;
