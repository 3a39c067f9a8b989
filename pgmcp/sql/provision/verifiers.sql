-- Purpose: what the server keeps of the login roles' passwords.   Needs: superuser.   Since: 15.
-- Parameter: $1 the roles' names. Compared in the gateway, never shown.
SELECT a.rolname AS role, a.rolpassword AS verifier
  FROM pg_catalog.pg_authid AS a
 WHERE a.rolname = ANY ($1::pg_catalog.text[])
 ORDER BY a.rolname;
