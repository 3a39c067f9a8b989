-- Purpose: the privileges that objects made later will have.   Needs: nothing.   Since: 15.
-- Parameters: $1 the role that makes them, $2 the schema or NULL for all,
-- $3 the kind: r tables, S sequences, f routines, T types, n schemas.
SELECT pg_catalog.array_to_string(d.defaclacl, ', ') AS acl
  FROM pg_catalog.pg_default_acl AS d
  JOIN pg_catalog.pg_roles AS r ON r.oid = d.defaclrole
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace
 WHERE r.rolname = $1
   AND n.nspname IS NOT DISTINCT FROM $2
   AND d.defaclobjtype::pg_catalog.text = $3;
