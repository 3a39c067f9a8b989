-- Purpose: what the relations that a dry run locked are, before it.   Needs: nothing.   Since: 15.
-- Parameters: $1 their oids as text[]. TOAST tables are part of their table.
-- part_of is the table of an index, or of the column that owns a sequence.
-- Units: bytes without indexes; rows is an estimate.
SELECT c.oid::text AS oid,
       c.relfilenode::text AS filenode,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
            WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence'
            ELSE 'index' END AS kind,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS shown,
       CASE WHEN c.relkind IN ('r', 'm', 'i', 'S') THEN pg_catalog.pg_table_size(c.oid) END AS bytes,
       CASE WHEN c.relkind IN ('r', 'm') AND c.reltuples >= 0::real THEN c.reltuples::bigint END AS rows,
       coalesce(x.indrelid, (SELECT d.refobjid
                               FROM pg_catalog.pg_depend AS d
                              WHERE c.relkind = 'S'
                                AND d.classid = 'pg_catalog.pg_class'::regclass::oid
                                AND d.objid = c.oid
                                AND d.refclassid = 'pg_catalog.pg_class'::regclass::oid
                                AND d.deptype IN ('a', 'i')))::text AS part_of
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n
    ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index AS x
    ON x.indexrelid = c.oid
 WHERE c.oid = ANY ($1::oid[])
   AND n.nspname !~ '^pg_toast'::text
 ORDER BY n.nspname, c.relname
