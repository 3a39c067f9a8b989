-- Purpose: how far the standbys are behind, or this one is.   Needs: pg_monitor.   Since: 14.
-- Units: named in the value.
WITH behind AS (
  SELECT count(*) AS standbys, count(*) FILTER (WHERE s.state IS NULL) AS hidden,
         coalesce(max(extract(epoch FROM s.replay_lag)), 0) AS seconds,
         pg_is_in_recovery() AS is_standby
    FROM pg_catalog.pg_stat_replication AS s
), own AS (
  SELECT b.standbys, b.hidden, b.is_standby,
         CASE
           WHEN NOT b.is_standby THEN b.seconds
           WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
           ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()),
                         0)
         END AS seconds
    FROM behind AS b
)
SELECT 'standbys' AS "check",
       CASE
         WHEN o.hidden > 0 THEN 'unknown'
         WHEN o.seconds >= 3600 THEN 'crit'
         WHEN o.seconds >= 300 THEN 'warn'
         ELSE 'ok'
       END AS status,
       CASE
         WHEN o.is_standby THEN format('this standby is %s s behind', round(o.seconds, 1))
         WHEN o.standbys = 0 THEN 'none'
         ELSE format('%s, at most %s s behind', o.standbys, round(o.seconds, 1))
       END AS value,
       'warn 5 min, crit 1 h' AS threshold,
       CASE
         WHEN o.hidden > 0
           THEN 'hidden; GRANT pg_monitor TO ' || quote_ident(current_user)
         WHEN o.seconds >= 300 THEN 'action=replication shows where it stands'
       END AS hint
  FROM own AS o
 ORDER BY 1;
