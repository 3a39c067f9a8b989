-- Purpose: which roles beyond the gateway's reach a membership would pass on.   Needs: nothing.
-- Parameter: $1 the role.   Since: 15.
-- Superusers and the three roles that act as the server's operating system user.
WITH RECURSIVE reached(oid) AS (
  SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = $1
   UNION
  SELECT m.roleid
    FROM reached AS x
    JOIN pg_catalog.pg_auth_members AS m ON m.member = x.oid
)
SELECT r.rolname AS role
  FROM reached AS x
  JOIN pg_catalog.pg_roles AS r ON r.oid = x.oid
 WHERE r.rolsuper
    OR r.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
 ORDER BY r.rolname;
