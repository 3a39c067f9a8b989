-- Purpose: who the gateway is on this server, for the hint of a refusal.   Needs: nothing.   Since: 15.
SELECT pg_catalog.quote_ident(current_user) AS role,
       r.rolsuper AS is_superuser,
       r.rolcreatedb AS may_create_databases,
       r.rolcreaterole AS may_create_roles
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = current_user;
