-- Purpose: what lint must know of the tables that DDL names.   Needs: nothing.   Since: 15.
-- Parameters: $1 their names as text[], quoted.
-- Units: bytes without indexes, with all partitions; NULL while somebody holds or awaits ACCESS EXCLUSIVE.
WITH RECURSIVE asked AS (
    SELECT a.name AS asked, pg_catalog.to_regclass(a.name)::oid AS oid
      FROM pg_catalog.unnest($1::text[]) AS a(name)
), tree AS (
    SELECT a.oid AS root, a.oid
      FROM asked AS a
     WHERE a.oid IS NOT NULL
     UNION
    SELECT t.root, i.inhrelid
      FROM tree AS t
      JOIN pg_catalog.pg_inherits AS i
        ON i.inhparent = t.oid
), busy AS MATERIALIZED (
    SELECT coalesce(owner.oid, l.relation) AS oid
      FROM pg_catalog.pg_locks AS l
      LEFT JOIN pg_catalog.pg_class AS owner
        ON owner.reltoastrelid = l.relation
     WHERE l.locktype = 'relation'
       AND l.mode = 'AccessExclusiveLock'
       AND l.pid <> pg_catalog.pg_backend_pid()
), totals AS (
    SELECT t.root,
           pg_catalog.bool_or(c.oid IN (SELECT b.oid FROM busy AS b)) AS is_busy,
           pg_catalog.sum(c.reltuples) FILTER (WHERE c.reltuples >= 0::real AND c.relkind <> 'p')::bigint AS rows,
           pg_catalog.sum(CASE WHEN c.relkind NOT IN ('r', 'm') OR c.oid IN (SELECT b.oid FROM busy AS b) THEN 0
                    WHEN pg_catalog.pg_relation_size(c.oid) > 0 THEN pg_catalog.pg_table_size(c.oid)
                    ELSE 0
                END)::bigint AS bytes
      FROM tree AS t
      JOIN pg_catalog.pg_class AS c
        ON c.oid = t.oid
     GROUP BY t.root
)
SELECT a.asked,
       a.oid::text AS oid,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS shown,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'm' THEN 'materialized view'
            WHEN 'f' THEN 'foreign table' ELSE 'other' END AS kind,
       t.rows,
       CASE WHEN NOT t.is_busy THEN t.bytes END AS bytes,
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                   'name', m.attname,
                   'number', m.attnum,
                   'type', pg_catalog.format_type(m.atttypid, m.atttypmod),
                   'typname', y.typname,
                   'not_null', m.attnotnull,
                   'proven', NOT t.is_busy AND EXISTS (
                       SELECT
                         FROM pg_catalog.pg_constraint AS k
                        WHERE k.conrelid = c.oid
                          AND k.contype = 'c'
                          AND k.convalidated
                          AND m.attnum = ANY (k.conkey)
                          AND position('(' || pg_catalog.quote_ident(m.attname) || ' IS NOT NULL)'
                                       IN pg_catalog.pg_get_constraintdef(k.oid)) > 0
                          AND position(' OR ' IN pg_catalog.pg_get_constraintdef(k.oid)) = 0))
                   ORDER BY m.attnum)
          FROM pg_catalog.pg_attribute AS m
          JOIN pg_catalog.pg_type AS y
            ON y.oid = m.atttypid
         WHERE m.attrelid = c.oid
           AND m.attnum > 0
           AND NOT m.attisdropped) AS columns
  FROM asked AS a
  JOIN pg_catalog.pg_class AS c
    ON c.oid = a.oid
  JOIN pg_catalog.pg_namespace AS n
    ON n.oid = c.relnamespace
  JOIN totals AS t
    ON t.root = a.oid
 ORDER BY a.asked
