-- Purpose: the gateway's login roles as they are.   Needs: nothing.   Since: 15.
-- Parameter: $1 their names. No row: there is no such role.
SELECT r.rolname AS role, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolinherit, r.rolcanlogin,
       r.rolreplication, r.rolbypassrls, r.rolconnlimit AS connection_limit,
       pg_catalog.shobj_description(r.oid, 'pg_authid') AS comment,
       (SELECT pg_catalog.string_agg(pg_catalog.split_part(s.setting, '=', 1), ',')
          FROM pg_catalog.unnest(r.rolconfig) AS s(setting)) AS settings,
       'default_transaction_read_only=on' = ANY (r.rolconfig) AS reads_only,
       EXISTS (SELECT FROM pg_catalog.pg_shdepend AS o
                WHERE o.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid
                  AND o.refobjid = r.oid AND o.deptype = 'o') AS owns
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = ANY ($1::pg_catalog.text[])
 ORDER BY r.rolname;
