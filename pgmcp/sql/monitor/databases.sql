-- Purpose: size, load and age of every database, the largest first.
-- Needs: pg_monitor.   Since: 15.
-- Units: bytes; transactions; percent; since stats_reset, or ever where that is NULL.
-- Pattern: database or owner.
WITH sized AS (
  SELECT d.oid, d.datname, d.datdba, d.encoding, d.datcollate, d.datcollversion, d.datlocprovider,
         d.datconnlimit, d.datallowconn, d.datistemplate, d.datfrozenxid, d.datminmxid,
         has_database_privilege(d.oid, 'CONNECT')
           OR pg_has_role('pg_read_all_stats', 'USAGE') AS may_size
    FROM pg_catalog.pg_database AS d
   WHERE coalesce(d.datname = ANY (
           nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
)
SELECT d.datname AS database, pg_get_userbyid(d.datdba) AS owner,
       CASE WHEN d.may_size THEN pg_database_size(d.oid) END AS bytes,
       s.numbackends AS connections,
       nullif(d.datconnlimit, -1) AS connection_limit,
       pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collation,
       age(d.datfrozenxid) AS xid_age,
       round(100.0 * age(d.datfrozenxid) / 2147483647, 1)::float8 AS xid_percent,
       mxid_age(d.datminmxid) AS multixact_age,
       round(100.0 * s.blks_hit / nullif(s.blks_hit + s.blks_read, 0), 1)::float8
         AS cache_hit_percent,
       s.xact_commit AS commits, s.xact_rollback AS rollbacks, s.deadlocks,
       s.temp_files, s.temp_bytes, s.conflicts, s.checksum_failures,
       s.stats_reset::timestamptz(0) AS stats_reset,
       concat_ws('; ',
         CASE WHEN d.datistemplate THEN 'template' END,
         CASE WHEN NOT d.datallowconn THEN 'refuses connections' END,
         CASE WHEN d.datconnlimit = -2 THEN 'half dropped: DROP DATABASE again' END,
         CASE
           WHEN NOT d.may_size
             THEN 'size hidden; GRANT pg_monitor TO ' || quote_ident(current_user)
         END,
         CASE
           WHEN d.datcollversion <> pg_database_collation_actual_version(d.oid)
             THEN format('collation version %s became %s: REINDEX DATABASE, then ALTER DATABASE '
                         '%I REFRESH COLLATION VERSION', d.datcollversion,
                         pg_database_collation_actual_version(d.oid), d.datname)
         END,
         CASE WHEN s.checksum_failures > 0 THEN 'damaged pages were read: see the log' END
       ) AS finding
  FROM sized AS d
  LEFT JOIN pg_catalog.pg_stat_database AS s ON s.datid = d.oid
 WHERE EXISTS (
         SELECT FROM unnest(ARRAY[d.datname::text, pg_get_userbyid(d.datdba)::text]) AS field
          WHERE field ILIKE coalesce(nullif(current_setting('pgmcp.pattern', true), ''), '%'))
 ORDER BY bytes DESC NULLS LAST, d.datname;
