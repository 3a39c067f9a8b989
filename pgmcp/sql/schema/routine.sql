-- Purpose: what a function, procedure or aggregate is, in one row.   Needs: nothing.   Since: 15.
-- Parameters: $1 its oid. An aggregate has no definition that PostgreSQL could print.
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window function'
            ELSE 'function'
        END AS kind,
       n.nspname AS schema,
       p.proname AS name,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname)
       || '(' || pg_catalog.pg_get_function_arguments(p.oid) || ')' AS shown,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname)
       || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS identity,
       pg_catalog.pg_get_function_result(p.oid) AS returns,
       pg_catalog.pg_get_userbyid(p.proowner) AS owner,
       pg_catalog.obj_description(p.oid, 'pg_proc') AS comment,
       l.lanname AS language,
       CASE WHEN p.prokind <> 'p'
            THEN CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END
        END AS volatility,
       CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel,
       p.proisstrict AS strict,
       p.prosecdef AS security_definer,
       p.proconfig AS settings,
       e.extname AS extension,
       CASE WHEN p.prokind <> 'a' AND l.lanname NOT IN ('internal', 'c')
            THEN pg_catalog.pg_get_functiondef(p.oid)
        END AS definition,
       coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)) AS acl
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n
    ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language AS l
    ON l.oid = p.prolang
  LEFT JOIN pg_catalog.pg_depend AS d
    ON d.classid = 'pg_catalog.pg_proc'::regclass::oid
   AND d.objid = p.oid
   AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension AS e
    ON e.oid = d.refobjid
 WHERE p.oid = $1::oid
