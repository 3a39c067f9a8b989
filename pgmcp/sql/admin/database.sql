-- Purpose: what DROP DATABASE would take.   Needs: nothing.   Since: 15.
-- Parameter: $1 the database's name. Units: size as text with unit.
SELECT d.datname AS database,
       d.datistemplate AS is_template,
       pg_catalog.pg_get_userbyid(d.datdba) AS owner,
       (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r
         WHERE r.oid = d.datdba) AS owner_is_superuser,
       pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate AS collation,
       CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT')
              OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_catalog.pg_size_pretty(pg_catalog.pg_database_size(d.oid)) END AS size
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = $1;
