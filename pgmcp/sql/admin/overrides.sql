-- Purpose: the value that ALTER DATABASE or ALTER ROLE gives one setting.   Needs: nothing.   Since: 15.
-- Parameters: $1 the setting, $2 the database or NULL, $3 the role or NULL.
SELECT pg_catalog.substr(o.line, pg_catalog.strpos(o.line, '=') + 1) AS value
  FROM pg_catalog.pg_db_role_setting AS d
  LEFT JOIN pg_catalog.pg_database AS b ON b.oid = d.setdatabase
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = d.setrole
 CROSS JOIN LATERAL pg_catalog.unnest(d.setconfig) AS o(line)
 WHERE pg_catalog.lower(pg_catalog.split_part(o.line, '=', 1)) = pg_catalog.lower($1)
   AND b.datname IS NOT DISTINCT FROM $2
   AND r.rolname IS NOT DISTINCT FROM $3;
