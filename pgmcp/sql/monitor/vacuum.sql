-- Purpose: which tables need vacuum or analyze, the most pressing first.
-- Needs: nothing.   Since: 14.
-- Units: rows; percent of the point where autovacuum starts (100 is due); transactions; times.
-- Pattern: schema.table or table.
-- The thresholds are autovacuum's own arithmetic, with the table's storage parameters before the
-- server's settings. xid_age counts the TOAST table too.
WITH server AS (
  SELECT current_setting('autovacuum')::bool AND current_setting('track_counts')::bool AS is_on,
         current_setting('autovacuum_vacuum_threshold')::float8 AS vacuum_base,
         current_setting('autovacuum_vacuum_scale_factor')::float8 AS vacuum_scale,
         -- PostgreSQL 18 and later.
         current_setting('autovacuum_vacuum_max_threshold', true)::float8 AS vacuum_max,
         current_setting('autovacuum_vacuum_insert_threshold')::float8 AS insert_base,
         current_setting('autovacuum_vacuum_insert_scale_factor')::float8 AS insert_scale,
         current_setting('autovacuum_analyze_threshold')::float8 AS analyze_base,
         current_setting('autovacuum_analyze_scale_factor')::float8 AS analyze_scale,
         current_setting('autovacuum_freeze_max_age')::float8 AS freeze_max,
         current_setting('autovacuum_multixact_freeze_max_age')::float8 AS multixact_max
), tables AS (
  SELECT c.oid, n.nspname, c.relname,
         quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
         greatest(c.reltuples, 0) AS row_count, c.relpages,
         -- PostgreSQL 18 and later: inserts count against the pages not frozen yet.
         1 - least(coalesce((to_jsonb(c) ->> 'relallfrozen')::float8, 0)
                   / greatest(c.relpages, 1), 1) AS unfrozen,
         greatest(age(c.relfrozenxid), age(t.relfrozenxid)) AS xid_age,
         greatest(mxid_age(c.relminmxid), mxid_age(t.relminmxid)) AS multixact_age,
         s.n_dead_tup, s.n_mod_since_analyze, s.n_ins_since_vacuum,
         greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum,
         greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze,
         s.vacuum_count + s.autovacuum_count AS vacuums, o.options, p.pid, p.phase
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
    LEFT JOIN pg_catalog.pg_stat_user_tables AS s ON s.relid = c.oid
    LEFT JOIN pg_catalog.pg_stat_progress_vacuum AS p ON p.relid = c.oid
    LEFT JOIN LATERAL (
           SELECT jsonb_object_agg(r.option_name, r.option_value) AS options
             FROM pg_options_to_table(c.reloptions) AS r) AS o ON true
   WHERE c.relkind IN ('r', 'm')
     AND n.nspname !~ '^pg_(toast|temp)'
     AND EXISTS (
           SELECT FROM unnest(ARRAY[n.nspname || '.' || c.relname, c.relname::text]) AS field
            WHERE field ILIKE coalesce(nullif(current_setting('pgmcp.pattern', true), ''), '%'))
), limits AS (
  SELECT t.oid, t.nspname, t.name, t.row_count, t.xid_age, t.multixact_age, t.n_dead_tup,
         t.n_mod_since_analyze, t.n_ins_since_vacuum, t.last_vacuum, t.last_analyze, t.vacuums,
         t.pid, t.phase, s.is_on,
         coalesce((t.options ->> 'autovacuum_enabled')::bool, true) AS is_enabled,
         least(coalesce((t.options ->> 'autovacuum_vacuum_threshold')::float8, s.vacuum_base)
               + t.row_count * coalesce((t.options ->> 'autovacuum_vacuum_scale_factor')::float8,
                                        s.vacuum_scale),
               nullif(coalesce((t.options ->> 'autovacuum_vacuum_max_threshold')::float8,
                               s.vacuum_max), -1)) AS vacuum_at,
         nullif(coalesce((t.options ->> 'autovacuum_vacuum_insert_threshold')::float8,
                         s.insert_base), -1)
           + t.row_count * t.unfrozen
             * coalesce((t.options ->> 'autovacuum_vacuum_insert_scale_factor')::float8,
                        s.insert_scale) AS insert_at,
         coalesce((t.options ->> 'autovacuum_analyze_threshold')::float8, s.analyze_base)
           + t.row_count * coalesce((t.options ->> 'autovacuum_analyze_scale_factor')::float8,
                                    s.analyze_scale) AS analyze_at,
         least((t.options ->> 'autovacuum_freeze_max_age')::float8, s.freeze_max) AS freeze_at,
         least((t.options ->> 'autovacuum_multixact_freeze_max_age')::float8, s.multixact_max)
           AS multixact_at
    FROM tables AS t
   CROSS JOIN server AS s
), measured AS (
  SELECT l.nspname, l.name, l.row_count, l.xid_age, l.multixact_age, l.n_dead_tup, l.last_vacuum,
         l.last_analyze, l.vacuums, l.pid, l.phase, l.is_on, l.is_enabled, l.vacuum_at,
         100.0 * l.n_dead_tup / greatest(l.vacuum_at, 1) AS dead_percent,
         100.0 * l.n_ins_since_vacuum / greatest(l.insert_at, 1) AS insert_percent,
         100.0 * l.n_mod_since_analyze / greatest(l.analyze_at, 1) AS analyze_percent,
         100.0 * greatest(l.xid_age / l.freeze_at, l.multixact_age / l.multixact_at)
           AS freeze_percent
    FROM limits AS l
)
SELECT m.name AS "table", m.row_count::bigint AS row_estimate, m.n_dead_tup AS dead_rows,
       round(m.vacuum_at)::bigint AS vacuum_at,
       round(m.dead_percent::numeric, 1)::float8 AS dead_percent,
       round(m.insert_percent::numeric, 1)::float8 AS insert_percent,
       round(m.analyze_percent::numeric, 1)::float8 AS analyze_percent,
       m.xid_age, m.multixact_age, round(m.freeze_percent::numeric, 1)::float8 AS freeze_percent,
       m.last_vacuum::timestamptz(0) AS last_vacuum,
       m.last_analyze::timestamptz(0) AS last_analyze, m.vacuums,
       concat_ws('; ',
         CASE WHEN m.pid IS NOT NULL THEN format('running: pid %s, %s', m.pid, m.phase) END,
         CASE
           WHEN m.freeze_percent > 120 THEN 'wraparound: VACUUM (FREEZE) now'
           WHEN m.freeze_percent >= 100 THEN 'freeze is due'
         END,
         CASE WHEN NOT m.is_on THEN 'autovacuum is off on this server' END,
         CASE WHEN NOT m.is_enabled THEN 'autovacuum is off for this table' END,
         CASE WHEN greatest(m.dead_percent, m.insert_percent) > 100 THEN 'vacuum is due' END,
         CASE WHEN m.analyze_percent > 100 THEN 'analyze is due' END,
         CASE
           WHEN m.last_vacuum IS NULL AND m.last_analyze IS NULL THEN 'never vacuumed or analyzed'
         END) AS finding
  FROM measured AS m
 -- Of PostgreSQL's own catalogs only those in need.
 WHERE m.nspname NOT IN ('pg_catalog', 'information_schema')
    OR greatest(m.dead_percent, m.freeze_percent) >= 100
 ORDER BY m.freeze_percent >= 100 DESC,
          greatest(m.dead_percent, m.insert_percent, m.analyze_percent) DESC NULLS LAST,
          m.freeze_percent DESC, m.name;
