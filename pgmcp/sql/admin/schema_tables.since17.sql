-- Purpose: what VACUUM and ANALYZE of a schema cover.   Needs: nothing.   Since: 17.
-- Parameter: $1 the schema. may_maintain: VACUUM and ANALYZE would not skip it.
-- A partitioned table has no rows; its partitions stand for it, also in ANALYZE.
SELECT c.oid,
       n.nspname AS schema,
       c.relname AS name,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS identity,
       c.relkind AS kind,
       NULL AS table_oid,
       pg_catalog.pg_get_userbyid(c.relowner) AS owner,
       (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r
         WHERE r.oid = c.relowner) AS owner_is_superuser,
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
         OR pg_catalog.pg_has_role(d.datdba, 'USAGE')
         OR pg_catalog.has_table_privilege(c.oid, 'MAINTAIN') AS may_maintain
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_database AS d ON d.datname = pg_catalog.current_database()
 WHERE n.nspname = $1
   AND c.relkind IN ('r', 'm')
 ORDER BY c.relname;
