-- Purpose: who owns this database and what is in it, and what membership in them would hand on.
-- Needs: nothing.   Since: 15.
-- hands_on lists attributes and predefined roles by commas; in_circle: is a member of pgmcp_ddl.
WITH RECURSIVE owners(oid, tables) AS (
  SELECT d.datdba, 0
    FROM pg_catalog.pg_database AS d
   WHERE d.datname = pg_catalog.current_database()
   UNION ALL
  SELECT n.nspowner, 0
    FROM pg_catalog.pg_namespace AS n
   WHERE n.nspname !~ '^pg_'::text AND n.nspname <> 'information_schema'
   UNION ALL
  SELECT c.relowner, 1
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
     AND n.nspname !~ '^pg_'::text AND n.nspname <> 'information_schema'
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e
                      WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
                        AND e.objid = c.oid AND e.deptype = 'e')
), counted AS (
  SELECT o.oid, pg_catalog.sum(o.tables) AS tables FROM owners AS o GROUP BY o.oid
), reached(root, oid) AS (
  SELECT c.oid, c.oid FROM counted AS c
   UNION
  SELECT x.root, m.roleid
    FROM reached AS x
    JOIN pg_catalog.pg_auth_members AS m ON m.member = x.oid
), handed AS (
  SELECT x.root, r.rolname, h.what
    FROM reached AS x
    JOIN pg_catalog.pg_roles AS r ON r.oid = x.oid
   CROSS JOIN LATERAL (VALUES
           (CASE WHEN r.rolsuper THEN 'SUPERUSER' END),
           (CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END),
           (CASE WHEN r.rolreplication THEN 'REPLICATION' END),
           (CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END),
           (CASE WHEN r.rolname LIKE 'pg\_%'::text THEN r.rolname END)) AS h(what)
)
SELECT r.rolname AS owner, c.tables,
       EXISTS (SELECT FROM pg_catalog.pg_database AS d
                WHERE d.datname = pg_catalog.current_database() AND d.datdba = r.oid)
         AS owns_database,
       (SELECT pg_catalog.string_agg(DISTINCT h.what, ',')
          FROM handed AS h
         WHERE h.root = r.oid AND h.what IS NOT NULL) AS hands_on,
       EXISTS (SELECT FROM handed AS h WHERE h.root = r.oid AND h.rolname = 'pgmcp_ddl')
         AS in_circle,
       EXISTS (SELECT FROM pg_catalog.pg_auth_members AS m
                 JOIN pg_catalog.pg_roles AS u ON u.oid = m.member
                WHERE m.roleid = r.oid AND u.rolname = 'pgmcp_ddl') AS is_lent
  FROM counted AS c
  JOIN pg_catalog.pg_roles AS r ON r.oid = c.oid
 WHERE r.rolname NOT LIKE 'pg\_%'::text
 ORDER BY r.rolname;
