-- Purpose: settings, where their values come from and what they may be.
-- Needs: pg_read_all_settings for those that are hidden.   Since: 15.
-- Setting pgmcp.pattern: LIKE pattern in lower case. value is what new sessions of this role get here.
-- A connection string may hold a password, so it is not shown.
SELECT s.name,
       CASE WHEN s.name = 'primary_conninfo' AND s.setting <> '' THEN '(hidden)'
            WHEN s.setting IS NOT DISTINCT FROM s.reset_val
            THEN pg_catalog.current_setting(s.name)
            ELSE s.reset_val || coalesce(' ' || s.unit, '') END AS value,
       s.unit,
       s.context,
       CASE s.context WHEN 'postmaster' THEN 'restart'
                      WHEN 'sighup' THEN 'reload'
                      WHEN 'internal' THEN 'never'
                      ELSE 'reload or session' END AS changes_by,
       s.source,
       s.sourcefile || ':' || s.sourceline::pg_catalog.text AS source_line,
       s.pending_restart,
       s.boot_val AS default_value,
       CASE WHEN s.min_val IS NOT NULL THEN s.min_val || ' to ' || s.max_val
            WHEN s.enumvals IS NOT NULL THEN pg_catalog.array_to_string(s.enumvals, ', ')
            WHEN s.vartype = 'bool' THEN 'on, off'
            ELSE s.vartype END AS allowed,
       (SELECT pg_catalog.string_agg(
                 CASE WHEN d.setdatabase <> 0::oid
                      THEN 'database ' || coalesce(b.datname::text, d.setdatabase::text) || ' ' ELSE '' END
                 || CASE WHEN d.setrole <> 0::oid
                         THEN 'role ' || pg_catalog.pg_get_userbyid(d.setrole)::text || ' ' ELSE '' END
                 || pg_catalog.substr(o.line, pg_catalog.strpos(o.line, '=')), '; '
                 ORDER BY b.datname NULLS FIRST, d.setrole)
          FROM pg_catalog.pg_db_role_setting AS d
          LEFT JOIN pg_catalog.pg_database AS b ON b.oid = d.setdatabase
         CROSS JOIN LATERAL pg_catalog.unnest(d.setconfig) AS o(line)
         WHERE pg_catalog.lower(pg_catalog.split_part(o.line, '=', 1))
               = pg_catalog.lower(s.name)
           AND (d.setdatabase = 0::oid
                OR coalesce(b.datname = ANY (nullif(pg_catalog.current_setting(
                     'pgmcp.databases', true), '')::pg_catalog.text[]), true))) AS overrides,
       s.short_desc AS description
  FROM pg_catalog.pg_settings AS s
 WHERE pg_catalog.lower(s.name) LIKE
       coalesce(nullif(pg_catalog.current_setting('pgmcp.pattern', true), ''), '%')
 ORDER BY pg_catalog.lower(s.name);
