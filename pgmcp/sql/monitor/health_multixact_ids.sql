-- Purpose: how near the oldest database is to multixact-id wraparound.
-- Needs: nothing.   Since: 14.
-- Units: multixacts; percent of 2^31, where PostgreSQL stops writing.
WITH oldest AS (
  SELECT CASE
           WHEN coalesce(d.datname = ANY (
                  nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
             THEN d.datname::text
           ELSE '(out of your reach)'
         END AS datname, mxid_age(d.datminmxid) AS age,
         current_setting('autovacuum_multixact_freeze_max_age')::bigint AS freeze_at
    FROM pg_catalog.pg_database AS d
   ORDER BY mxid_age(d.datminmxid) DESC, d.datname
   LIMIT 1
)
SELECT 'multixact ids' AS "check",
       CASE
         WHEN o.age >= 1000000000 THEN 'crit'
         WHEN o.age >= 1.5 * o.freeze_at THEN 'warn'
         ELSE 'ok'
       END AS status,
       format('%s%% used, oldest in %s: %s', round(o.age / 21474836.47, 1), o.datname, o.age)
         AS value,
       format('warn %s, crit 1000000000', round(1.5 * o.freeze_at)) AS threshold,
       CASE
         WHEN o.age >= 1.5 * o.freeze_at
           THEN 'VACUUM the tables of action=vacuum database=' || o.datname
                || '; many sessions lock the same rows'
       END AS hint
  FROM oldest AS o
 ORDER BY 1;
