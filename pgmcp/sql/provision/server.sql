-- Purpose: whether this login may provision this server.   Needs: nothing.   Since: 15.
SELECT r.rolname AS role, r.rolsuper AS is_superuser,
       pg_catalog.pg_is_in_recovery() AS is_standby,
       EXISTS (SELECT FROM pg_catalog.pg_database AS d
                WHERE d.datname = 'postgres' AND d.datallowconn) AS has_postgres
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = current_user;
