-- Purpose: the databases, and what the login roles hold on each.   Needs: nothing.   Since: 15.
-- Parameter: $1 the login roles. held is role:PRIVILEGE by commas; -2 marks a half-dropped one.
SELECT d.datname AS name, pg_catalog.pg_get_userbyid(d.datdba) AS owner,
       d.datistemplate AS is_template, d.datallowconn AS allows_connections,
       d.datconnlimit = -2 AS is_broken,
       EXISTS (SELECT FROM pg_catalog.aclexplode(
                        coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) AS a
                WHERE a.grantee = 0::oid AND a.privilege_type = 'CONNECT') AS anyone_connects,
       (SELECT pg_catalog.string_agg(DISTINCT r.rolname::text || ':' || a.privilege_type, ',')
          FROM pg_catalog.aclexplode(d.datacl) AS a
          JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
         WHERE r.rolname = ANY ($1::pg_catalog.text[])) AS held,
       (SELECT pg_catalog.substr(s.setting, 6)
          FROM pg_catalog.pg_db_role_setting AS c
          JOIN pg_catalog.pg_roles AS r ON r.oid = c.setrole
         CROSS JOIN LATERAL pg_catalog.unnest(c.setconfig) AS s(setting)
         WHERE c.setdatabase = d.oid AND r.rolname = 'pgmcp_ddl'
           AND s.setting LIKE 'role=%') AS ddl_acts_as,
       pg_catalog.pg_has_role(d.datdba, 'USAGE') AS may_act
  FROM pg_catalog.pg_database AS d
 ORDER BY d.datname;
