-- Purpose: tables of this database that hold many dead rows.   Needs: nothing.   Since: 14.
-- Units: rows as last counted.
WITH tables AS (
  SELECT s.schemaname, s.relname, s.n_dead_tup,
         round(100.0 * s.n_dead_tup / (s.n_live_tup + s.n_dead_tup)) AS percent
    FROM pg_catalog.pg_stat_user_tables AS s
   WHERE s.n_dead_tup > 10000
     AND s.n_dead_tup * 4 > s.n_live_tup
), worst AS (
  SELECT count(*) AS tables, max(t.percent) AS percent,
         (array_agg(format('%I.%I', t.schemaname, t.relname) ORDER BY t.n_dead_tup DESC))[1]
           AS name
    FROM tables AS t
)
SELECT 'dead rows' AS "check",
       CASE WHEN w.tables > 0 THEN 'warn' ELSE 'ok' END AS status,
       CASE
         WHEN w.tables = 0 THEN 'no table has many'
         ELSE format('%s tables, most in %s, up to %s%% dead', w.tables, w.name, w.percent)
       END AS value,
       'warn 20% and 10,000 rows' AS threshold,
       CASE
         WHEN w.tables > 0
           THEN 'see why in action=vacuum, then pg_admin action=vacuum; an old transaction or '
                'slot keeps dead rows'
       END AS hint
  FROM worst AS w
 ORDER BY 1;
