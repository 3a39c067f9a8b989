-- Purpose: where the write-ahead log stands.   Needs: nothing.   Since: 14.
-- Units: named in the value.
WITH items AS (
  SELECT 1 AS rank, 'position' AS item,
         CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END
           ::text AS value,
         CASE WHEN pg_is_in_recovery() THEN 'a standby: what it has replayed' END AS hint
   UNION ALL
  SELECT 2, 'current file',
         -- A standby has no name for it.
         CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_lsn()) END,
         'of ' || pg_size_pretty(pg_size_bytes(current_setting('wal_segment_size'))) || ' each'
   UNION ALL
  SELECT 3, 'wal_level', current_setting('wal_level'), NULL
   UNION ALL
  SELECT 4, 'since last checkpoint',
         CASE
           WHEN NOT pg_is_in_recovery()
             THEN pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), c.redo_lsn))
         END || ' of max_wal_size ' || current_setting('max_wal_size'),
         format('last checkpoint %s, checkpoint_timeout %s', c.checkpoint_time::timestamptz(0),
                current_setting('checkpoint_timeout'))
    FROM pg_control_checkpoint() AS c
)
SELECT i.item, i.value, i.hint
  FROM items AS i
 ORDER BY i.rank;
