-- Purpose: how often checkpoints come, and why.   Needs: nothing.   Since: 17.
-- Units: counts since the statistics were last reset; milliseconds named in the value.
SELECT 'checkpoints' AS item,
       format('%s by time, %s requested', c.num_timed, c.num_requested)
         || CASE
              WHEN pg_is_in_recovery()
                THEN format('; restartpoints %s by time, %s requested, %s done',
                            c.restartpoints_timed, c.restartpoints_req, c.restartpoints_done)
              ELSE ''
            END AS value,
       concat_ws('; ',
         format('since %s, buffers written %s, %s ms writing, %s ms syncing',
                c.stats_reset::timestamptz(0), c.buffers_written, round(c.write_time),
                round(c.sync_time)),
         CASE
           WHEN c.num_requested > 10 AND c.num_requested > c.num_timed
             THEN 'most come because max_wal_size was reached: raise it'
         END) AS hint
  FROM pg_catalog.pg_stat_checkpointer AS c
 ORDER BY item;
