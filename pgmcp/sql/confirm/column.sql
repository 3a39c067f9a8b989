-- Purpose: a column's number.   Needs: nothing.   Since: 15.
-- Parameters: $1 its table's oid, $2 its name.
SELECT a.attnum
  FROM pg_catalog.pg_attribute AS a
 WHERE a.attrelid = $1::oid
   AND a.attname = $2
   AND a.attnum > 0
   AND NOT a.attisdropped;
