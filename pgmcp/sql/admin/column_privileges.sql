-- Purpose: the privileges on columns of one relation.   Needs: nothing.   Since: 15.
-- Parameters: $1 the relation's oid, $2 the columns' names. acl is NULL where none was granted.
SELECT a.attname AS name,
       pg_catalog.array_to_string(a.attacl, ', ') AS acl
  FROM pg_catalog.pg_attribute AS a
 WHERE a.attrelid = $1::pg_catalog.oid
   AND a.attname = ANY ($2::pg_catalog.text[])
   AND a.attnum > 0
   AND NOT a.attisdropped
 ORDER BY a.attnum;
