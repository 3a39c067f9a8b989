-- Purpose: how many rows a relation holds, and whether counting them is cheap and does nothing else.   Needs: nothing.   Since: 15.
-- Parameters: $1 its oid, $2 whether it is meant alone, without partitions and heirs (ONLY).
-- Units: rows is an estimate, null where there is none; 16384 pages are 128 MB.
-- A policy's functions and a foreign server would be called by counting, so those are not counted.
WITH RECURSIVE family AS (
    SELECT $1::oid AS oid
     UNION
    SELECT h.inhrelid
      FROM family
      JOIN pg_catalog.pg_inherits AS h ON h.inhparent = family.oid
     WHERE NOT $2::boolean
)
SELECT pg_catalog.sum(c.reltuples) FILTER (WHERE c.relkind IN ('r', 'm') AND c.reltuples >= 0::real)::bigint AS rows,
       pg_catalog.bool_and(c.relkind IN ('r', 'p', 'm')
                AND NOT c.relrowsecurity
                AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
       AND pg_catalog.sum(greatest(c.relpages, 0)) <= 16384
       AND pg_catalog.current_setting('transaction_isolation') <> 'serializable' AS is_countable
  FROM family
  JOIN pg_catalog.pg_class AS c ON c.oid = family.oid;
