-- Purpose: what this session's login is.   Needs: nothing.   Since: 15.
-- reaches: predefined roles it is a member of that reach beyond tables, by commas.
SELECT session_user::pg_catalog.text AS login, current_user::pg_catalog.text AS acts_as,
       l.rolsuper AS is_superuser, l.rolcreaterole AS may_create_roles,
       l.rolreplication AS may_replicate, l.rolbypassrls AS bypasses_row_security,
       pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS reads_verifiers,
       pg_catalog.pg_has_role('pg_read_all_data', 'USAGE') AS reads_all,
       (SELECT pg_catalog.string_agg(r.rolname, ',' ORDER BY r.rolname)
          FROM pg_catalog.pg_roles AS r
         WHERE r.rolname IN ('pg_execute_server_program', 'pg_read_server_files',
                             'pg_write_server_files', 'pg_write_all_data')
           AND pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')) AS reaches
  FROM pg_catalog.pg_roles AS l
 WHERE l.rolname = session_user;
