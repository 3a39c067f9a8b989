-- Purpose: how near the oldest database is to transaction-id wraparound.
-- Needs: nothing.   Since: 14.
-- Units: transactions; percent of 2^31, where PostgreSQL stops writing.
WITH oldest AS (
  SELECT CASE
           WHEN coalesce(d.datname = ANY (
                  nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
             THEN d.datname::text
           ELSE '(out of your reach)'
         END AS datname, age(d.datfrozenxid) AS age,
         current_setting('autovacuum_freeze_max_age')::bigint AS freeze_at
    FROM pg_catalog.pg_database AS d
   ORDER BY age(d.datfrozenxid) DESC, d.datname
   LIMIT 1
)
SELECT 'transaction ids' AS "check",
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
           THEN 'autovacuum does not keep up: end old transactions, drop unused slots, then '
                'VACUUM the tables of action=vacuum database=' || o.datname
       END AS hint
  FROM oldest AS o
 ORDER BY 1;
