-- Purpose: what a table, view, index or sequence is, in one row.   Needs: nothing.   Since: 15.
-- Parameters: $1 its oid.
-- Units: sizes in bytes, with all partitions; NULL while somebody holds or awaits ACCESS EXCLUSIVE, because
-- measuring would wait too, as pg_get_expr does; locked is then true, for a view as well
-- while a table that it reads is locked. rows is an estimate; NULL: never analysed.
WITH RECURSIVE tree AS (
    SELECT $1::oid AS oid
     UNION ALL
    SELECT i.inhrelid
      FROM tree AS t
      JOIN pg_catalog.pg_class AS c
        ON c.oid = t.oid
       AND c.relkind IN ('p', 'I')
      JOIN pg_catalog.pg_inherits AS i
        ON i.inhparent = t.oid
), parts AS (
    SELECT c.oid, c.reltuples
      FROM tree AS t
      JOIN pg_catalog.pg_class AS c
        ON c.oid = t.oid
     WHERE c.relkind IN ('r', 'm', 'f', 'i', 'S')
), busy AS MATERIALIZED (
    SELECT coalesce(owner.oid, x.indrelid, l.relation) AS oid
      FROM pg_catalog.pg_locks AS l
      LEFT JOIN pg_catalog.pg_index AS x
        ON x.indexrelid = l.relation
      LEFT JOIN pg_catalog.pg_class AS owner
        ON owner.reltoastrelid = coalesce(x.indrelid, l.relation)
     WHERE l.locktype = 'relation'
       AND l.mode = 'AccessExclusiveLock'
       AND l.pid <> pg_catalog.pg_backend_pid()
       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
), state AS (
    SELECT EXISTS (SELECT
                     FROM busy AS b
                    WHERE b.oid IN (SELECT coalesce(x.indrelid, t.oid)
                                      FROM tree AS t
                                      LEFT JOIN pg_catalog.pg_index AS x
                                        ON x.indexrelid = t.oid
                                     UNION ALL
                                    SELECT d.refobjid
                                      FROM pg_catalog.pg_rewrite AS r
                                      JOIN pg_catalog.pg_depend AS d
                                        ON d.classid = 'pg_catalog.pg_rewrite'::regclass::oid
                                       AND d.objid = r.oid
                                     WHERE r.ev_class = $1::oid
                                       AND d.refclassid = 'pg_catalog.pg_class'::regclass::oid)) AS locked
), totals AS (
    SELECT pg_catalog.sum(p.reltuples) FILTER (WHERE p.reltuples >= 0::real)::bigint AS rows,
           pg_catalog.sum(pg_catalog.pg_total_relation_size(p.oid))::bigint AS bytes,
           pg_catalog.sum(pg_catalog.pg_table_size(p.oid))::bigint AS table_bytes,
           pg_catalog.sum(pg_catalog.pg_indexes_size(p.oid))::bigint AS index_bytes
      FROM parts AS p
     WHERE NOT (SELECT s.locked FROM state AS s)
)
SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table'
            WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
            WHEN 't' THEN 'toast table' ELSE 'index'
        END AS kind,
       n.nspname AS schema,
       c.relname AS name,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS shown,
       pg_catalog.pg_get_userbyid(c.relowner) AS owner,
       pg_catalog.obj_description(c.oid, 'pg_class') AS comment,
       CASE c.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END AS persistence,
       nullif(state.locked, false) AS locked,
       t.rows,
       c.relkind IN ('r', 'p', 'm') AND t.rows IS NULL AND t.bytes IS NOT NULL AS never_analysed,
       t.bytes,
       t.table_bytes,
       t.index_bytes,
       CASE WHEN am.amname <> 'heap' AND c.relkind IN ('r', 'm') THEN am.amname END AS access_method,
       s.spcname AS tablespace,
       c.reloptions AS options,
       CASE WHEN NOT state.locked THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END AS partition_bound,
       CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_key,
       CASE WHEN c.relrowsecurity THEN CASE WHEN c.relforcerowsecurity THEN 'forced' ELSE 'enabled' END
            WHEN EXISTS (SELECT FROM pg_catalog.pg_policy AS p WHERE p.polrelid = c.oid) THEN 'disabled'
        END AS row_security,
       CASE WHEN c.relkind IN ('r', 'p')
            THEN CASE c.relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' END
        END AS replica_identity,
       CASE WHEN c.relkind = 'm' THEN c.relispopulated END AS populated,
       CASE WHEN c.relkind = 'f' THEN (
            SELECT pg_catalog.concat_ws(' ', 'server', f.srvname, r.ftoptions::text)
              FROM pg_catalog.pg_foreign_table AS r
              JOIN pg_catalog.pg_foreign_server AS f
                ON f.oid = r.ftserver
             WHERE r.ftrelid = c.oid)
        END AS foreign_server,
       CASE WHEN c.relkind IN ('v', 'm') AND NOT state.locked THEN pg_catalog.pg_get_viewdef(c.oid, true) END AS definition,
       coalesce(c.relacl, pg_catalog.acldefault((CASE WHEN c.relkind = 'S' THEN 's' ELSE 'r' END)::"char", c.relowner)) AS acl
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n
    ON n.oid = c.relnamespace
 CROSS JOIN totals AS t
 CROSS JOIN state
  LEFT JOIN pg_catalog.pg_am AS am
    ON am.oid = c.relam
  LEFT JOIN pg_catalog.pg_tablespace AS s
    ON s.oid = c.reltablespace
 WHERE c.oid = $1::oid
