-- Purpose: this server's part in replication: senders, slots, receiver, subscriptions.
-- Needs: pg_monitor.   Since: 14.
-- Units: bytes of WAL, seconds; retained_bytes is WAL that a slot keeps on disk.
-- Pattern: kind, name, peer, database or state; the row of the server always shows.
-- Columns that only newer servers have are read through to_jsonb, so that one file serves all.
WITH place AS (
  SELECT CASE
           WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_replay_lsn(), '0/0')
           ELSE pg_current_wal_lsn()
         END AS lsn
), listed AS (
  SELECT 0 AS rank, 'server' AS kind,
         coalesce(nullif(current_setting('cluster_name'), ''), 'this server') AS name,
         CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END AS state,
         NULL::text AS peer, NULL::text AS database, NULL::bigint AS lag_bytes,
         CASE
           WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
             THEN 0
           WHEN pg_is_in_recovery()
             THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
         END AS lag_seconds,
         NULL::bigint AS retained_bytes,
         format('at %s, wal_level %s, %s of max_wal_senders %s, synchronous_standby_names %L',
                p.lsn, current_setting('wal_level'),
                (SELECT count(*) FROM pg_catalog.pg_stat_replication AS s),
                current_setting('max_wal_senders'),
                current_setting('synchronous_standby_names')) AS details,
         NULL::text AS finding
    FROM place AS p
   UNION ALL
  SELECT 1, 'sender', s.application_name, coalesce(s.state, 'hidden'),
         coalesce(host(s.client_addr), 'local'), NULL,
         pg_wal_lsn_diff(p.lsn, s.replay_lsn)::bigint, extract(epoch FROM s.replay_lag), NULL,
         format('role %s, pid %s, %s, sent %s, flushed %s, replayed %s', s.usename, s.pid,
                coalesce(s.sync_state, 'hidden'), s.sent_lsn, s.flush_lsn, s.replay_lsn),
         CASE
           WHEN s.state IS NULL THEN 'hidden; GRANT pg_monitor TO ' || quote_ident(current_user)
           WHEN s.state NOT IN ('streaming', 'backup') THEN 'not streaming yet'
         END
    FROM pg_catalog.pg_stat_replication AS s
   CROSS JOIN place AS p
   -- A logical one belongs to a database.
   WHERE NOT EXISTS (
           SELECT FROM pg_catalog.pg_stat_activity AS a
            WHERE a.pid = s.pid
              AND a.datname <> ALL (
                    nullif(current_setting('pgmcp.databases', true), '')::text[]))
   UNION ALL
  SELECT 2, concat_ws(' ', r.slot_type, 'slot'), r.slot_name,
         CASE WHEN r.active THEN 'active' ELSE 'inactive' END, r.plugin, r.database,
         pg_wal_lsn_diff(p.lsn, r.confirmed_flush_lsn)::bigint,
         NULL,
         pg_wal_lsn_diff(p.lsn, r.restart_lsn)::bigint,
         concat_ws(', ', 'WAL ' || r.wal_status, 'pid ' || r.active_pid,
                   'inactive since '
                     || (to_jsonb(r) ->> 'inactive_since')::timestamptz::timestamptz(0),
                   'xmin age ' || age(r.xmin), 'catalog_xmin age ' || age(r.catalog_xmin),
                   r.safe_wal_size || ' bytes until lost',
                   CASE WHEN (to_jsonb(r) ->> 'failover')::bool THEN 'failover' END,
                   CASE WHEN (to_jsonb(r) ->> 'synced')::bool THEN 'synced from the primary' END,
                   CASE WHEN r.two_phase THEN 'two_phase' END),
         CASE
           WHEN to_jsonb(r) ->> 'invalidation_reason' IS NOT NULL
             THEN 'invalid: ' || (to_jsonb(r) ->> 'invalidation_reason') || '; drop it'
           WHEN (to_jsonb(r) ->> 'conflicting')::bool THEN 'invalid: conflicting; drop it'
           WHEN r.wal_status = 'lost' THEN 'its WAL is gone; drop it'
           WHEN NOT r.active AND r.restart_lsn IS NOT NULL
             THEN 'nobody reads it and it keeps WAL: SELECT pg_drop_replication_slot('
                  || quote_literal(r.slot_name) || ') when it is not needed'
         END
    FROM pg_catalog.pg_replication_slots AS r
   CROSS JOIN place AS p
   WHERE coalesce(r.database = ANY (
           nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
   UNION ALL
  SELECT 3, 'receiver', coalesce(w.slot_name, 'receiver'), coalesce(w.status, 'hidden'),
         w.sender_host || ':' || w.sender_port, NULL,
         pg_wal_lsn_diff(w.latest_end_lsn, p.lsn)::bigint,
         NULL, NULL,
         format('pid %s, written %s, flushed %s, last message %s', w.pid, w.written_lsn,
                w.flushed_lsn, w.last_msg_receipt_time::timestamptz(0)),
         CASE
           WHEN w.status IS NULL THEN 'hidden; GRANT pg_monitor TO ' || quote_ident(current_user)
         END
    FROM pg_catalog.pg_stat_wal_receiver AS w
   CROSS JOIN place AS p
   WHERE w.pid IS NOT NULL
   UNION ALL
  SELECT 4, 'subscription', u.subname,
         CASE
           WHEN NOT u.subenabled THEN 'disabled'
           WHEN s.pid IS NULL THEN 'no worker'
           ELSE 'running'
         END,
         array_to_string(u.subpublications, ', '), d.datname,
         pg_wal_lsn_diff(s.latest_end_lsn, s.received_lsn)::bigint, NULL, NULL,
         concat_ws(', ', 'pid ' || s.pid, 'received ' || s.received_lsn, 'slot ' || u.subslotname,
                   'last message ' || s.last_msg_receipt_time::timestamptz(0),
                   'tables not ready ' || nullif((
                     SELECT count(*) FROM pg_catalog.pg_subscription_rel AS t
                      WHERE t.srsubid = u.oid AND t.srsubstate <> 'r'), 0),
                   'errors: apply ' || e.apply_error_count, 'sync ' || e.sync_error_count),
         CASE
           WHEN u.subenabled AND s.pid IS NULL THEN 'enabled, but no worker runs: see the log'
           WHEN e.apply_error_count > 0 THEN 'changes could not be applied: see the log'
         END
    FROM pg_catalog.pg_subscription AS u
    JOIN pg_catalog.pg_database AS d ON d.oid = u.subdbid
    LEFT JOIN pg_catalog.pg_stat_subscription AS s ON s.subid = u.oid AND s.relid IS NULL
          AND (to_jsonb(s) ->> 'leader_pid') IS NULL
    LEFT JOIN pg_catalog.pg_stat_subscription_stats AS e ON e.subid = u.oid
   WHERE coalesce(d.datname = ANY (
           nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
)
SELECT l.kind, l.name, l.state, l.peer, l.database, l.lag_bytes,
       round(l.lag_seconds, 1)::float8 AS lag_seconds, l.retained_bytes, l.details, l.finding
  FROM listed AS l
 WHERE l.rank = 0
    OR EXISTS (
         SELECT FROM unnest(ARRAY[l.kind, l.name, l.peer, l.database, l.state]) AS field
          WHERE field ILIKE coalesce(nullif(current_setting('pgmcp.pattern', true), ''), '%'))
 ORDER BY l.rank, l.retained_bytes DESC NULLS LAST, l.lag_bytes DESC NULLS LAST, l.name;
