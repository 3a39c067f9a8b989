-- Purpose: a configuration parameter as the object of a GRANT, and its privileges now.
-- Needs: nothing.   Since: 15.   Parameter: $1 the name, in any case.
SELECT s.name AS identity,
       NULL AS schema,
       NULL AS kind,
       0 AS oid,
       pg_catalog.array_to_string(a.paracl, ', ') AS acl
  FROM pg_catalog.pg_settings AS s
  LEFT JOIN pg_catalog.pg_parameter_acl AS a ON a.parname = pg_catalog.lower(s.name)
 WHERE pg_catalog.lower(s.name) = pg_catalog.lower($1);
