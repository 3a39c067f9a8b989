-- Purpose: the roles, what they may do and what they belong to.   Needs: nothing.   Since: 15.
-- Predefined roles (pg_…) are left out unless the pattern asks for them.
-- Setting pgmcp.pattern: LIKE pattern in lower case.
SELECT r.rolname AS name,
       pg_catalog.array_to_string(ARRAY[
         CASE WHEN r.rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
         CASE WHEN r.rolsuper THEN 'SUPERUSER' END,
         CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
         CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
         CASE WHEN r.rolreplication THEN 'REPLICATION' END,
         CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
         CASE WHEN NOT r.rolinherit THEN 'NOINHERIT' END], ', ') AS attributes,
       nullif(r.rolconnlimit, -1) AS connection_limit,
       r.rolvaliduntil AS valid_until,
       (SELECT pg_catalog.string_agg(DISTINCT g.rolname, ', ')
          FROM pg_catalog.pg_auth_members AS m
          JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid
         WHERE m.member = r.oid) AS member_of,
       (SELECT pg_catalog.string_agg(DISTINCT g.rolname, ', ')
          FROM pg_catalog.pg_auth_members AS m
          JOIN pg_catalog.pg_roles AS g ON g.oid = m.member
         WHERE m.roleid = r.oid) AS members,
       (SELECT pg_catalog.count(*)
          FROM pg_catalog.pg_stat_activity AS a
         WHERE a.usesysid = r.oid) AS sessions,
       pg_catalog.array_to_string(r.rolconfig, ', ') AS settings,
       pg_catalog.shobj_description(r.oid, 'pg_authid') AS comment
  FROM pg_catalog.pg_roles AS r
 WHERE pg_catalog.lower(r.rolname) LIKE
       coalesce(nullif(pg_catalog.current_setting('pgmcp.pattern', true), ''), '%')
   AND (r.rolname NOT LIKE 'pg\_%'::text
        OR coalesce(pg_catalog.current_setting('pgmcp.pattern', true), '') LIKE 'pg%')
 ORDER BY r.rolname;
