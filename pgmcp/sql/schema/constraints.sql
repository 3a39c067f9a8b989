-- Purpose: the keys, checks and exclusions of a table.   Needs: nothing.   Since: 15.
-- Parameters: $1 the table's oid. NOT NULL is told with the columns.
SELECT CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key'
            WHEN 'c' THEN 'check' WHEN 'x' THEN 'exclusion' ELSE 'constraint trigger'
        END AS kind,
       k.conname AS name,
       pg_catalog.pg_get_constraintdef(k.oid, true) AS definition,
       pg_catalog.obj_description(k.oid, 'pg_constraint') AS comment
  FROM pg_catalog.pg_constraint AS k
 WHERE k.conrelid = $1::oid
   AND k.contype IN ('p', 'u', 'f', 'c', 'x')
 ORDER BY pg_catalog.strpos('pufxc', k.contype::text), k.conname
