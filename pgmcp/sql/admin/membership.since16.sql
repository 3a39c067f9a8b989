-- Purpose: whether one role belongs to another, and how.   Needs: nothing.   Since: 16.
-- Parameters: $1 the role, $2 the member. No row: no membership.
SELECT pg_catalog.string_agg(
         'member' || CASE WHEN m.admin_option THEN ', ADMIN' ELSE '' END
           || CASE WHEN m.inherit_option THEN ', INHERIT' ELSE '' END
           || CASE WHEN m.set_option THEN ', SET' ELSE '' END
           || ' (by ' || pg_catalog.pg_get_userbyid(m.grantor)::pg_catalog.text || ')', '; '
         ORDER BY m.grantor) AS acl
  FROM pg_catalog.pg_auth_members AS m
  JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid
  JOIN pg_catalog.pg_roles AS r ON r.oid = m.member
 WHERE g.rolname = $1
   AND r.rolname = $2;
