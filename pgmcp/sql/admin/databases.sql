-- Purpose: the databases, who owns them, how large they are and who is connected.
-- Needs: nothing; a size needs CONNECT on the database or pg_read_all_stats.   Since: 15.
-- Units: size as text with unit. Setting pgmcp.pattern: LIKE pattern in lower case.
SELECT d.datname AS name,
       pg_catalog.pg_get_userbyid(d.datdba) AS owner,
       CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT')
              OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_catalog.pg_size_pretty(pg_catalog.pg_database_size(d.oid)) END AS size,
       (SELECT pg_catalog.count(*)
          FROM pg_catalog.pg_stat_activity AS a
         WHERE a.datid = d.oid) AS sessions,
       nullif(d.datconnlimit, -1) AS connection_limit,
       pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate AS collation,
       d.datistemplate AS is_template,
       d.datallowconn AS accepts_connections,
       pg_catalog.array_to_string(d.datacl, ', ') AS privileges,
       pg_catalog.shobj_description(d.oid, 'pg_database') AS comment
  FROM pg_catalog.pg_database AS d
 WHERE pg_catalog.lower(d.datname) LIKE
       coalesce(nullif(pg_catalog.current_setting('pgmcp.pattern', true), ''), '%')
   AND coalesce(d.datname = ANY (nullif(
         pg_catalog.current_setting('pgmcp.databases', true), '')::pg_catalog.text[]), true)
 ORDER BY d.datname;
