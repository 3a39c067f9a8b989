-- Purpose: how much write-ahead log was made, and how fast on average.
-- Needs: nothing.   Since: 18.
-- Units: bytes since the statistics were last reset, named in the value.
WITH items AS (
  SELECT 1 AS rank, 'written' AS item, pg_size_pretty(w.wal_bytes) AS value,
         'since ' || w.stats_reset::timestamptz(0) AS hint
    FROM pg_catalog.pg_stat_wal AS w
   UNION ALL
  SELECT 2, 'average rate',
         pg_size_pretty(round(w.wal_bytes * 60 / greatest(
           extract(epoch FROM clock_timestamp() - w.stats_reset), 1))) || ' a minute',
         NULL
    FROM pg_catalog.pg_stat_wal AS w
   UNION ALL
  SELECT 3, 'records', w.wal_records::text,
         format('%s full page images (%s%% of records)', w.wal_fpi,
                round(100.0 * w.wal_fpi / greatest(w.wal_records, 1), 1))
    FROM pg_catalog.pg_stat_wal AS w
   UNION ALL
  SELECT 4, 'buffers full', w.wal_buffers_full::text,
         CASE
           WHEN w.wal_buffers_full > 10000 AND w.wal_buffers_full * 100 > w.wal_records
             THEN 'sessions write WAL themselves: raise wal_buffers'
         END
    FROM pg_catalog.pg_stat_wal AS w
   UNION ALL
  SELECT 5, 'writes', sum(o.writes)::text,
         format('%s syncs, %s ms writing, %s ms syncing%s', sum(o.fsyncs),
                round(sum(o.write_time)::numeric), round(sum(o.fsync_time)::numeric),
                CASE
                  WHEN current_setting('track_wal_io_timing') = 'off'
                    THEN ' (not timed: track_wal_io_timing is off)'
                END)
    FROM pg_catalog.pg_stat_io AS o
   WHERE o.object = 'wal'
)
SELECT i.item, i.value, i.hint
  FROM items AS i
 ORDER BY i.rank;
