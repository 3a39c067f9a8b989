-- Purpose: the object that GRANT or REVOKE names, as PostgreSQL resolves it, and its privileges now.
-- Needs: nothing.   Since: 15.
-- Parameters: $1 class; $2 the name as SQL text (relation, routine, type) or as it is (all others).
-- No row: there is no such object. identity is quoted and schema-qualified where it has a schema.
WITH found(classid, objid, acl, kind) AS (
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, c.oid, c.relacl, c.relkind::pg_catalog.text
    FROM pg_catalog.pg_class AS c
   WHERE $1 = 'relation' AND c.oid = CASE WHEN $1 = 'relation' THEN pg_catalog.to_regclass($2)::pg_catalog.oid END
   UNION ALL
  SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid, p.oid, p.proacl, p.prokind::pg_catalog.text
    FROM pg_catalog.pg_proc AS p
   WHERE $1 = 'signature'
     AND p.oid = CASE WHEN $1 = 'signature' THEN pg_catalog.to_regprocedure($2)::pg_catalog.oid END
   UNION ALL
  SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid, p.oid, p.proacl, p.prokind::pg_catalog.text
    FROM pg_catalog.pg_proc AS p
   WHERE $1 = 'routine' AND p.oid = CASE WHEN $1 = 'routine' THEN pg_catalog.to_regproc($2)::pg_catalog.oid END
   UNION ALL
  SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, t.oid, t.typacl, t.typtype::pg_catalog.text
    FROM pg_catalog.pg_type AS t
   WHERE $1 = 'type' AND t.oid = CASE WHEN $1 = 'type' THEN pg_catalog.to_regtype($2)::pg_catalog.oid END
   UNION ALL
  SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, n.oid, n.nspacl, NULL
    FROM pg_catalog.pg_namespace AS n
   WHERE $1 = 'schema' AND n.nspname = $2
   UNION ALL
  SELECT 'pg_catalog.pg_database'::pg_catalog.regclass::pg_catalog.oid, d.oid, d.datacl, NULL
    FROM pg_catalog.pg_database AS d
   WHERE $1 = 'database' AND d.datname = $2
   UNION ALL
  SELECT 'pg_catalog.pg_language'::pg_catalog.regclass::pg_catalog.oid, l.oid, l.lanacl, NULL
    FROM pg_catalog.pg_language AS l
   WHERE $1 = 'language' AND l.lanname = $2
   UNION ALL
  SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass::pg_catalog.oid, f.oid, f.fdwacl, NULL
    FROM pg_catalog.pg_foreign_data_wrapper AS f
   WHERE $1 = 'foreign data wrapper' AND f.fdwname = $2
   UNION ALL
  SELECT 'pg_catalog.pg_foreign_server'::pg_catalog.regclass::pg_catalog.oid, s.oid, s.srvacl, NULL
    FROM pg_catalog.pg_foreign_server AS s
   WHERE $1 = 'foreign server' AND s.srvname = $2
   UNION ALL
  SELECT 'pg_catalog.pg_tablespace'::pg_catalog.regclass::pg_catalog.oid, s.oid, s.spcacl, NULL
    FROM pg_catalog.pg_tablespace AS s
   WHERE $1 = 'tablespace' AND s.spcname = $2
)
SELECT i.identity,
       i.schema,
       f.kind,
       f.objid AS oid,
       pg_catalog.array_to_string(f.acl, ', ') AS acl
  FROM found AS f
 CROSS JOIN LATERAL pg_catalog.pg_identify_object(f.classid, f.objid, 0) AS i;
