-- Purpose: what a schema is and how much it holds, in one row.   Needs: nothing.   Since: 15.
-- Parameters: $1 its oid.
SELECT 'schema' AS kind,
       n.nspname AS name,
       pg_catalog.quote_ident(n.nspname) AS shown,
       pg_catalog.pg_get_userbyid(n.nspowner) AS owner,
       pg_catalog.obj_description(n.oid, 'pg_namespace') AS comment,
       n.nspname = ANY (pg_catalog.current_schemas(true)) AS on_search_path,
       (SELECT pg_catalog.json_object_agg(counted.kind, counted.number)
          FROM (SELECT CASE c.relkind WHEN 'r' THEN 'tables' WHEN 'p' THEN 'partitioned tables' WHEN 'f' THEN 'foreign tables'
                            WHEN 'v' THEN 'views' WHEN 'm' THEN 'materialized views' WHEN 'S' THEN 'sequences'
                            WHEN 'c' THEN 'composite types' ELSE 'indexes'
                        END AS kind,
                       pg_catalog.count(*) AS number
                  FROM pg_catalog.pg_class AS c
                 WHERE c.relnamespace = n.oid
                   AND c.relkind <> 't'
                 GROUP BY 1
                 UNION ALL
                SELECT 'functions and procedures', pg_catalog.count(*)
                  FROM pg_catalog.pg_proc AS p
                 WHERE p.pronamespace = n.oid
                HAVING pg_catalog.count(*) > 0
                 ORDER BY 1) AS counted) AS holds,
       coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner)) AS acl
  FROM pg_catalog.pg_namespace AS n
 WHERE n.oid = $1::oid
