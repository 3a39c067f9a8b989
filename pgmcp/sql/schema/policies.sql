-- Purpose: the row security policies of a table.   Needs: nothing.   Since: 15.
-- Parameters: $1 the table's oid.
SELECT p.polname AS name,
       CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END AS mode,
       CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'
            WHEN 'd' THEN 'delete' ELSE 'all'
        END AS command,
       ARRAY(SELECT CASE WHEN r.oid = 0::oid THEN 'public' ELSE pg_catalog.pg_get_userbyid(r.oid) END
               FROM pg_catalog.unnest(p.polroles) AS r(oid)
              ORDER BY 1) AS roles,
       pg_catalog.pg_get_expr(p.polqual, p.polrelid, true) AS using_expression,
       pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid, true) AS check_expression,
       pg_catalog.obj_description(p.oid, 'pg_policy') AS comment
  FROM pg_catalog.pg_policy AS p
 WHERE p.polrelid = $1::oid
 ORDER BY p.polname
