-- Purpose: tables of this database that were never vacuumed or never analyzed.
-- Needs: nothing.   Since: 14.
-- Units: rows as last counted.
WITH tables AS (
  SELECT s.schemaname, s.relname, s.n_live_tup
    FROM pg_catalog.pg_stat_user_tables AS s
   WHERE s.n_live_tup >= 10000
     AND (s.vacuum_count + s.autovacuum_count = 0 AND s.n_dead_tup >= 10000
          OR s.analyze_count + s.autoanalyze_count = 0)
), largest AS (
  SELECT count(*) AS tables,
         (array_agg(format('%I.%I', t.schemaname, t.relname) ORDER BY t.n_live_tup DESC))[1]
           AS name
    FROM tables AS t
)
SELECT 'never vacuumed' AS "check",
       CASE WHEN l.tables > 0 THEN 'warn' ELSE 'ok' END AS status,
       CASE
         WHEN l.tables = 0 THEN 'none'
         ELSE format('%s tables, largest %s', l.tables, l.name)
       END AS value,
       'warn from 10,000 rows' AS threshold,
       CASE
         WHEN l.tables > 0
           THEN 'plans are guesses: pg_admin action=analyze; autovacuum is '
                || current_setting('autovacuum')
       END AS hint
  FROM largest AS l
 ORDER BY 1;
