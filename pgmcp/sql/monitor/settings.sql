-- Purpose: settings that differ from the default; with a pattern every one that matches.
-- Needs: pg_monitor.   Since: 14.
-- Units: value counts in unit, where there is one; passwords in values are masked.
-- Pattern: name, category or description. Only then this connection's own values show: source is
-- client or session, and other sessions have another value.
WITH wanted AS (
  SELECT nullif(current_setting('pgmcp.pattern', true), '') AS pattern
), settings AS (
  SELECT s.name, s.setting AS value, s.unit, s.source, s.boot_val AS default_value,
         s.pending_restart, s.category, s.short_desc AS description,
         -- Those of a role or database follow below, whoever asks.
         s.setting IS DISTINCT FROM s.boot_val
           AND s.source NOT IN ('default', 'dynamic default', 'override', 'client', 'session',
                                'user', 'database', 'database user', 'global')
           OR s.pending_restart AS is_changed,
         CASE s.context
           WHEN 'internal' THEN 'nothing: fixed when the cluster was made'
           WHEN 'postmaster' THEN 'restart'
           WHEN 'sighup' THEN 'reload'
           WHEN 'backend' THEN 'new sessions'
           WHEN 'superuser-backend' THEN 'new sessions of superusers'
           WHEN 'superuser' THEN 'SET by superusers'
           ELSE 'SET'
         END AS changed_by,
         s.sourcefile || ':' || s.sourceline AS set_in
    FROM pg_catalog.pg_settings AS s
   UNION ALL
  -- ALTER ROLE … SET and ALTER DATABASE … SET: what sessions get, whatever this one has.
  SELECT split_part(c.setting, '=', 1), substr(c.setting, strpos(c.setting, '=') + 1), NULL,
         concat_ws(' ', 'role ' || pg_get_userbyid(nullif(r.setrole, 0)),
                   'database ' || d.datname), NULL, false, NULL, NULL, true, 'new sessions', NULL
    FROM pg_catalog.pg_db_role_setting AS r
   CROSS JOIN unnest(r.setconfig) AS c(setting)
    LEFT JOIN pg_catalog.pg_database AS d ON d.oid = r.setdatabase
   WHERE r.setdatabase = 0
         OR coalesce(d.datname = ANY (
              nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
)
SELECT s.name,
       regexp_replace(s.value, $re$(password\s*=\s*)('([^'\\]|\\.)*'|\S+)$re$, '\1***', 'gi')
         AS value,
       s.unit, s.source, s.default_value, s.changed_by, s.pending_restart, s.set_in, s.description
  FROM settings AS s
 CROSS JOIN wanted AS w
 WHERE CASE
         WHEN w.pattern IS NULL THEN s.is_changed
         ELSE EXISTS (SELECT FROM unnest(ARRAY[s.name, s.category, s.description]) AS field
                       WHERE field ILIKE w.pattern)
       END
 ORDER BY s.pending_restart DESC, s.name, s.source;
