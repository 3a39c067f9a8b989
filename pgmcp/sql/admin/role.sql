-- Purpose: one role, as far as changing or dropping it needs.   Needs: nothing.   Since: 15.
-- Parameter: $1 the role's name.
SELECT r.oid,
       r.rolname AS role,
       r.rolsuper AS is_superuser,
       pg_catalog.array_to_string(ARRAY[
         CASE WHEN r.rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
         CASE WHEN r.rolsuper THEN 'SUPERUSER' END,
         CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
         CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
         CASE WHEN r.rolreplication THEN 'REPLICATION' END,
         CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
         CASE WHEN NOT r.rolinherit THEN 'NOINHERIT' END,
         CASE WHEN r.rolconnlimit <> -1 THEN 'CONNECTION LIMIT ' || r.rolconnlimit::pg_catalog.text END,
         CASE WHEN r.rolvaliduntil IS NOT NULL
              THEN 'VALID UNTIL ' || pg_catalog.quote_literal(r.rolvaliduntil) END], ', ') AS attributes,
       (SELECT pg_catalog.count(*)
          FROM pg_catalog.pg_stat_activity AS a
         WHERE a.usesysid = r.oid) AS sessions,
       (SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(g.rolname), ', ')
          FROM pg_catalog.pg_auth_members AS m
          JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid
         WHERE m.member = r.oid) AS member_of,
       (SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(g.rolname), ', ')
          FROM pg_catalog.pg_auth_members AS m
          JOIN pg_catalog.pg_roles AS g ON g.oid = m.member
         WHERE m.roleid = r.oid) AS members
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = $1;
