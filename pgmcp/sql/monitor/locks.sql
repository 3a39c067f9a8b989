-- Purpose: who waits for whom, as trees: the session that holds up the others first.
-- Needs: pg_monitor.   Since: 14.
-- Units: seconds; chain lists pids from the root blocker down, pid 0 is a prepared transaction.
-- Pattern: role, application, database, pid, object or query; the whole tree of a match shows.
-- A session that waits for several stands below one of them and blocked_by names them all: those
-- in a queue for one lock all block each other, so the paths through them would be exponential.
WITH RECURSIVE locks AS MATERIALIZED (
  SELECT l.pid, l.mode, l.granted, l.waitstart, l.locktype,
         -- What two locks have in common when they are on the same thing.
         concat_ws('/', l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid,
                   l.transactionid, l.classid, l.objid, l.objsubid) AS thing,
         CASE
           WHEN l.locktype = 'advisory'
             THEN format('advisory lock (%s, %s)', l.classid, l.objid)
           WHEN l.relation IS NULL THEN l.locktype
           WHEN l.database NOT IN (0, d.oid) THEN format('relation %s', l.relation)
           WHEN l.locktype = 'tuple' THEN 'row of ' || l.relation::regclass::text
           ELSE l.relation::regclass::text
         END AS object
    FROM pg_catalog.pg_locks AS l
    JOIN pg_catalog.pg_database AS d ON d.datname = current_database()
), waiting AS MATERIALIZED (
  SELECT l.pid, l.mode, l.thing, l.waitstart, pg_blocking_pids(l.pid) AS blockers,
         -- The first in the queue for a row waits for the transaction that changed it and holds
         -- a lock on the tuple, which alone knows the table.
         CASE
           WHEN l.locktype = 'transactionid'
             THEN coalesce((SELECT min(t.object)
                              FROM locks AS t
                             WHERE t.pid = l.pid AND t.granted AND t.locktype = 'tuple'),
                           'end of a transaction')
           ELSE l.object
         END AS object
    FROM locks AS l
   WHERE NOT l.granted
), parents AS MATERIALIZED (
  SELECT DISTINCT ON (w.pid) w.pid, b.pid AS blocker
    FROM waiting AS w
   CROSS JOIN unnest(w.blockers) AS b(pid)
    LEFT JOIN waiting AS also ON also.pid = b.pid
   ORDER BY w.pid, also.pid IS NOT NULL, also.waitstart, b.pid
), tree AS (
  SELECT DISTINCT p.blocker AS pid, ARRAY[p.blocker] AS path
    FROM parents AS p
   WHERE NOT EXISTS (SELECT FROM parents AS q WHERE q.pid = p.blocker)
   UNION ALL
  SELECT p.pid, t.path || p.pid
    FROM tree AS t
    JOIN parents AS p ON p.blocker = t.pid
   WHERE p.pid <> ALL (t.path)
), nodes AS (
  SELECT t.pid, t.path FROM tree AS t
   UNION ALL
  -- Below no root: a deadlock that PostgreSQL has not broken yet.
  SELECT p.pid, ARRAY[p.pid]
    FROM parents AS p
   WHERE NOT EXISTS (SELECT FROM tree AS t WHERE t.pid = p.pid)
), shown AS (
  SELECT n.path, n.pid, w.blockers,
         (SELECT count(*) - 1 FROM nodes AS m WHERE n.pid = ANY (m.path)) AS blocks,
         extract(epoch FROM clock_timestamp() - w.waitstart) AS wait_seconds,
         w.object, w.mode,
         (SELECT string_agg(DISTINCT h.mode || ' on ' || h.object, ', ')
            FROM locks AS h
            JOIN waiting AS held ON held.thing = h.thing AND n.pid = ANY (held.blockers)
           WHERE h.granted AND coalesce(h.pid, 0) = n.pid) AS holds,
         CASE
           WHEN n.pid = 0 THEN 'prepared transaction'
           WHEN a.pid IS NULL THEN 'gone, or in a database out of your reach'
           WHEN a.query = '<insufficient privilege>' THEN 'hidden'
           ELSE a.state
         END AS state,
         extract(epoch FROM clock_timestamp() - a.xact_start) AS xact_seconds,
         a.datname::text AS database, a.usename::text AS role, a.application_name AS application,
         a.pid IS NOT NULL AS is_shown,
         CASE
           WHEN a.query = '<insufficient privilege>'
             THEN 'hidden; GRANT pg_monitor TO ' || quote_ident(current_user)
           WHEN a.datname <> current_database()
             THEN 'in another database; call with database=' || a.datname
           -- Without what the gateway puts around a statement, and without passwords.
           ELSE regexp_replace(
                  regexp_replace(
                    a.query,
                    '^(SELECT [^\n]*\mc0\M[^\n]* FROM|WITH _pgmcp\([^\n]*) \(\n'
                      '(.*?)(\n\) (AS _pgmcp\(|SELECT ).*)?$',
                    '\2'),
                  $re$(password\s*)(=\s*('([^']|'')*('|$)|[^\s';)]+)|E?'([^']|'')*('|$))$re$,
                  '\1***', 'gi')
         END AS query
    FROM nodes AS n
    LEFT JOIN waiting AS w ON w.pid = n.pid
    LEFT JOIN pg_catalog.pg_stat_activity AS a
      ON a.pid = n.pid
     AND coalesce(a.datname = ANY (
           nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
)
SELECT array_to_string(s.path, ' > ') AS chain, s.pid, s.blockers AS blocked_by, s.blocks,
       round(s.wait_seconds, 1)::float8 AS wait_seconds, s.object AS waits_for, s.mode, s.holds,
       s.state, round(s.xact_seconds, 1)::float8 AS xact_seconds, s.database, s.role,
       s.application, left(regexp_replace(s.query, '\s+', ' ', 'g'), 300) AS query
  FROM shown AS s
 WHERE s.path[1] IN (SELECT m.path[1] FROM shown AS m WHERE m.is_shown)
   AND s.path[1] IN (
         SELECT m.path[1]
           FROM shown AS m
          CROSS JOIN unnest(ARRAY[m.pid::text, m.database, m.role, m.application, m.object,
                                  m.holds, m.query]) AS field
          WHERE field ILIKE coalesce(nullif(current_setting('pgmcp.pattern', true), ''), '%'))
 ORDER BY max(s.wait_seconds) OVER (PARTITION BY s.path[1]) DESC NULLS LAST, s.path;
