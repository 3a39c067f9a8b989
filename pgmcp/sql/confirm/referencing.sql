-- Purpose: the tables that foreign keys take along when a table is emptied.   Needs: nothing.   Since: 15.
-- Parameters: $1 the table's oid, $2 whether only ON DELETE CASCADE reaches (DELETE), or any (TRUNCATE CASCADE).
-- Partitions are told by their partitioned table.
WITH RECURSIVE own AS (
    SELECT $1::oid AS oid
     UNION
    SELECT h.inhrelid
      FROM own
      JOIN pg_catalog.pg_inherits AS h ON h.inhparent = own.oid
), reached AS (
    SELECT own.oid
      FROM own
     UNION
    SELECT k.conrelid
      FROM reached AS r
      JOIN pg_catalog.pg_constraint AS k ON k.confrelid = r.oid
     WHERE k.contype = 'f'
       AND (k.confdeltype = 'c' OR NOT $2::boolean)
)
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
       c.oid
  FROM reached AS r
  JOIN pg_catalog.pg_class AS c ON c.oid = r.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE NOT EXISTS (SELECT FROM own WHERE own.oid = r.oid)
   AND NOT EXISTS (
       SELECT
         FROM pg_catalog.pg_inherits AS h
         JOIN reached AS parent ON parent.oid = h.inhparent
        WHERE c.relispartition
          AND h.inhrelid = c.oid)
 ORDER BY n.nspname, c.relname;
