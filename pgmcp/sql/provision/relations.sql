-- Purpose: tables, views and sequences, and what the login roles hold on each.
-- Needs: nothing.   Since: 15.
-- Parameter: $1 the login roles. held is role:PRIVILEGE by commas; narrowed are the roles that hold
-- privileges on single columns. reaches_secrets, reaches_catalogs: a view that reads them; pg_depend
-- does not know of pinned catalogs, so the rule's own text is searched. What belongs to an extension
-- is left as its author opened it.
WITH RECURSIVE views(root, oid) AS (
  SELECT c.oid, c.oid
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('v', 'm') AND n.nspname !~ '^pg_'::text AND n.nspname <> 'information_schema'
   UNION
  SELECT v.root, f.found[1]::pg_catalog.oid
    FROM views AS v
    JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = v.oid
   CROSS JOIN LATERAL pg_catalog.regexp_matches(
           w.ev_action::pg_catalog.text, ':relid (\d+) ', 'g') AS f(found)
   WHERE v.oid >= 16384::oid
), reach AS (
  SELECT v.root, pg_catalog.bool_or(v.oid < 16384::oid) AS catalogs,
         pg_catalog.bool_or(v.oid = ANY (ARRAY[
           'pg_catalog.pg_authid', 'pg_catalog.pg_shadow', 'pg_catalog.pg_user_mapping',
           'pg_catalog.pg_user_mappings', 'pg_catalog.pg_subscription',
           'pg_catalog.pg_largeobject', 'pg_catalog.pg_statistic',
           'pg_catalog.pg_statistic_ext_data']::pg_catalog.regclass[]::pg_catalog.oid[])) AS secrets
    FROM views AS v
   GROUP BY v.root
)
SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relrowsecurity AS has_policies,
       (SELECT pg_catalog.string_agg(DISTINCT r.rolname::text || ':' || a.privilege_type, ',')
          FROM pg_catalog.aclexplode(c.relacl) AS a
          JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
         WHERE r.rolname = ANY ($1::pg_catalog.text[])) AS held,
       (SELECT pg_catalog.string_agg(DISTINCT r.rolname, ',')
          FROM pg_catalog.pg_attribute AS t
         CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) AS a
          JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
         WHERE t.attrelid = c.oid AND t.attnum > 0
           AND r.rolname = ANY ($1::pg_catalog.text[])) AS narrowed,
       coalesce(x.secrets, false) AS reaches_secrets,
       coalesce(x.catalogs, false) AS reaches_catalogs,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS may_act
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN reach AS x ON x.root = c.oid
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
   AND n.nspname !~ '^pg_'::text AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e
                    WHERE e.deptype = 'e'
                      AND ((e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
                            AND e.objid = c.oid)
                           OR (e.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid
                               AND e.objid = n.oid)))
 ORDER BY n.nspname, c.relname;
