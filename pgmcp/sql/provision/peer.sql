-- Purpose: the login roles that a system user cannot log in as by peer authentication.
-- Needs: a superuser.   Since: 15.
-- Parameters: $1 the login roles, $2 the system user. For each role the first line of pg_hba.conf
-- counts that is for it or everybody in all databases; a group or a pattern there is not followed.
SELECT w.role
  FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS w(role, place)
 WHERE NOT EXISTS (
         SELECT FROM (
                  SELECT h.auth_method AS method, h.options
                    FROM pg_catalog.pg_hba_file_rules AS h
                   WHERE h.type = 'local' AND h.error IS NULL
                     AND 'all' = ANY (h.database)
                     AND ('all' = ANY (h.user_name) OR w.role = ANY (h.user_name))
                   ORDER BY h.line_number
                   LIMIT 1) AS rule
           JOIN pg_catalog.pg_ident_file_mappings AS i
             ON i.error IS NULL AND 'map=' || i.map_name = ANY (rule.options)
          WHERE rule.method = 'peer' AND i.sys_name = $2::pg_catalog.text
            AND (i.pg_username = w.role OR i.pg_username = 'all'))
 ORDER BY w.place;
