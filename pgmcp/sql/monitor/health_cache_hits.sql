-- Purpose: how many block reads of this database the buffer cache served.
-- Needs: nothing.   Since: 14.
-- Units: percent of blocks since the statistics were last reset.
SELECT 'cache hits' AS "check",
       CASE
         WHEN d.blks_hit + d.blks_read > 100000
              AND d.blks_hit < 0.9 * (d.blks_hit + d.blks_read) THEN 'warn'
         ELSE 'ok'
       END AS status,
       coalesce(round(100.0 * d.blks_hit / nullif(d.blks_hit + d.blks_read, 0), 1) || '%',
                'nothing read yet') AS value,
       'warn below 90% of 100,000 reads' AS threshold,
       CASE
         WHEN d.blks_hit + d.blks_read > 100000
              AND d.blks_hit < 0.9 * (d.blks_hit + d.blks_read)
           THEN 'find what reads so much: action=slow_queries; shared_buffers is '
                || current_setting('shared_buffers')
       END AS hint
  FROM pg_catalog.pg_stat_database AS d
 WHERE d.datname = current_database()
 ORDER BY 1;
