-- Purpose: the extensions that this server could give a database.   Needs: nothing.   Since: 15.
-- Setting pgmcp.pattern: LIKE pattern in lower case.
SELECT a.name,
       a.installed_version AS version,
       a.default_version AS newest,
       v.trusted AS is_trusted,
       v.superuser AS needs_superuser,
       pg_catalog.array_to_string(v.requires, ', ') AS requires,
       a.comment
  FROM pg_catalog.pg_available_extensions AS a
  LEFT JOIN pg_catalog.pg_available_extension_versions AS v
    ON v.name = a.name AND v.version = a.default_version
 WHERE pg_catalog.lower(a.name) LIKE
       coalesce(nullif(pg_catalog.current_setting('pgmcp.pattern', true), ''), '%')
 ORDER BY a.name;
