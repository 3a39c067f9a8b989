-- Purpose: one table, index or the like, found by name.   Needs: nothing.   Since: 15.
-- Parameter: $1 the name as SQL text. may_maintain: VACUUM, ANALYZE and REINDEX would not skip it.
SELECT c.oid,
       n.nspname AS schema,
       c.relname AS name,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS identity,
       c.relkind AS kind,
       (SELECT i.indrelid FROM pg_catalog.pg_index AS i WHERE i.indexrelid = c.oid) AS table_oid,
       pg_catalog.pg_get_userbyid(c.relowner) AS owner,
       (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r
         WHERE r.oid = c.relowner) AS owner_is_superuser,
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
         OR (NOT c.relisshared AND pg_catalog.pg_has_role(d.datdba, 'USAGE')) AS may_maintain
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_database AS d ON d.datname = pg_catalog.current_database()
 WHERE c.oid = pg_catalog.to_regclass($1)::oid;
