-- Purpose: how often checkpoints come, and why.   Needs: nothing.   Since: 14.
-- Units: counts since the statistics were last reset; milliseconds named in the value.
SELECT 'checkpoints' AS item,
       format('%s by time, %s requested', b.checkpoints_timed, b.checkpoints_req) AS value,
       concat_ws('; ',
         format('since %s, buffers written %s, %s ms writing, %s ms syncing',
                b.stats_reset::timestamptz(0), b.buffers_checkpoint,
                round(b.checkpoint_write_time), round(b.checkpoint_sync_time)),
         CASE
           WHEN b.checkpoints_req > 10 AND b.checkpoints_req > b.checkpoints_timed
             THEN 'most come because max_wal_size was reached: raise it'
         END) AS hint
  FROM pg_catalog.pg_stat_bgwriter AS b
 ORDER BY item;
