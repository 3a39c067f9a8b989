-- Purpose: the triggers and rules of a relation.   Needs: nothing.   Since: 15.
-- Parameters: $1 the relation's oid.
SELECT g.tgname AS name,
       pg_catalog.pg_get_triggerdef(g.oid, true) AS definition,
       CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas only' WHEN 'A' THEN 'always' END AS state,
       pg_catalog.obj_description(g.oid, 'pg_trigger') AS comment
  FROM pg_catalog.pg_trigger AS g
 WHERE g.tgrelid = $1::oid
   AND NOT g.tgisinternal
 UNION ALL
SELECT r.rulename,
       pg_catalog.pg_get_ruledef(r.oid, true),
       CASE r.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas only' WHEN 'A' THEN 'always' END,
       pg_catalog.obj_description(r.oid, 'pg_rewrite')
  FROM pg_catalog.pg_rewrite AS r
 WHERE r.ev_class = $1::oid
   AND r.rulename <> '_RETURN'
 ORDER BY name
