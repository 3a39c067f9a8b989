-- Purpose: the roles that the login roles are members of, and what those hand on.
-- Needs: nothing.   Since: 15.
-- Parameter: $1 the login roles. From PostgreSQL 16 on there may be one row for each grantor, who
-- must be named to take it back. hands_on lists attributes and predefined roles by commas.
WITH RECURSIVE direct AS (
  SELECT DISTINCT r.rolname AS role, m.roleid, m.grantor
    FROM pg_catalog.pg_roles AS r
    JOIN pg_catalog.pg_auth_members AS m ON m.member = r.oid
   WHERE r.rolname = ANY ($1::pg_catalog.text[])
), reached(root, oid) AS (
  SELECT DISTINCT d.roleid, d.roleid FROM direct AS d
   UNION
  SELECT x.root, m.roleid
    FROM reached AS x
    JOIN pg_catalog.pg_auth_members AS m ON m.member = x.oid
), handed AS (
  SELECT x.root, h.what
    FROM reached AS x
    JOIN pg_catalog.pg_roles AS r ON r.oid = x.oid
   CROSS JOIN LATERAL (VALUES
           (CASE WHEN r.rolsuper THEN 'SUPERUSER' END),
           (CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END),
           (CASE WHEN r.rolreplication THEN 'REPLICATION' END),
           (CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END),
           (CASE WHEN r.rolname LIKE 'pg\_%'::text THEN r.rolname END)) AS h(what)
)
SELECT d.role, g.rolname AS member_of, b.rolname AS grantor,
       (SELECT pg_catalog.string_agg(DISTINCT h.what, ',')
          FROM handed AS h
         WHERE h.root = d.roleid AND h.what IS NOT NULL) AS hands_on
  FROM direct AS d
  JOIN pg_catalog.pg_roles AS g ON g.oid = d.roleid
  LEFT JOIN pg_catalog.pg_roles AS b ON b.oid = d.grantor
 ORDER BY d.role, g.rolname, b.rolname;
