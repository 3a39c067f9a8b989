-- Purpose: replication slots that keep WAL on disk.   Needs: nothing.   Since: 14.
-- Units: named in the value.
WITH place AS (
  SELECT CASE
           WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
           ELSE pg_current_wal_lsn()
         END AS lsn
), slots AS (
  SELECT count(*) AS slots, count(*) FILTER (WHERE NOT s.active) AS inactive,
         count(*) FILTER (WHERE s.wal_status IN ('unreserved', 'lost')) AS lost,
         coalesce(max(pg_wal_lsn_diff(p.lsn, s.restart_lsn)), 0) AS bytes,
         (array_agg(CASE
                      WHEN coalesce(s.database = ANY (
                             nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
                        THEN s.slot_name::text
                      ELSE '(out of your reach)'
                    END ORDER BY s.wal_status IN ('unreserved', 'lost') DESC,
                    s.restart_lsn))[1] AS name
    FROM pg_catalog.pg_replication_slots AS s
   CROSS JOIN place AS p
)
SELECT 'replication slots' AS "check",
       CASE
         WHEN s.lost > 0 OR s.bytes >= 10 * 1024 ^ 3 THEN 'crit'
         WHEN s.bytes >= 1024 ^ 3 THEN 'warn'
         ELSE 'ok'
       END AS status,
       CASE
         WHEN s.slots = 0 THEN 'none'
         ELSE format('%s, %s inactive, %s losing WAL, %s keeps %s', s.slots, s.inactive, s.lost,
                     s.name, pg_size_pretty(s.bytes))
       END AS value,
       'warn 1 GB kept, crit 10 GB or lost' AS threshold,
       CASE
         WHEN s.lost > 0 OR s.bytes >= 1024 ^ 3
           THEN 'action=replication lists them: start the reader or drop the slot, else the disk '
                'fills; max_slot_wal_keep_size is ' || current_setting('max_slot_wal_keep_size')
       END AS hint
  FROM slots AS s
 ORDER BY 1;
