-- Purpose: one extension, installed or available.   Needs: nothing.   Since: 15.
-- Parameter: $1 the extension's name. requires: all that it would bring along, at any depth.
-- preloaded is NULL where the role may not see that setting.
WITH RECURSIVE needed(name) AS (
  SELECT $1::pg_catalog.text COLLATE "C"
   UNION
  SELECT r.name::pg_catalog.text COLLATE "C"
    FROM needed AS n
    JOIN pg_catalog.pg_available_extension_versions AS v ON v.name = n.name
   CROSS JOIN LATERAL pg_catalog.unnest(v.requires) AS r(name)
)
SELECT a.name AS extension,
       e.extversion AS version,
       a.default_version AS newest,
       s.nspname AS schema,
       v.trusted AS is_trusted,
       v.superuser AS needs_superuser,
       (SELECT pg_catalog.array_to_string(pg_catalog.array_agg(n.name ORDER BY n.name), ',')
          FROM needed AS n) AS brings,
       (SELECT p.setting FROM pg_catalog.pg_settings AS p
         WHERE p.name = 'shared_preload_libraries') AS preloaded,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may_create
  FROM (SELECT x.name, x.default_version FROM pg_catalog.pg_available_extensions AS x
         WHERE x.name = $1
         UNION
        SELECT x.extname, NULL FROM pg_catalog.pg_extension AS x
         WHERE x.extname = $1
           AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_available_extensions AS y
                            WHERE y.name = $1)) AS a
  LEFT JOIN pg_catalog.pg_available_extension_versions AS v
    ON v.name = a.name AND v.version = a.default_version
  LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = a.name
  LEFT JOIN pg_catalog.pg_namespace AS s ON s.oid = e.extnamespace;
