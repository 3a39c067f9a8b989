-- Purpose: what an index is, in one row.   Needs: nothing.   Since: 15.
-- Parameters: $1 its oid.   Units: scans are counted since the statistics were last reset.
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS "table",
       pg_catalog.pg_get_indexdef(x.indexrelid) AS definition,
       x.indisunique AS "unique",
       x.indisprimary AS primary_key,
       x.indisvalid AS valid,
       (SELECT k.conname
          FROM pg_catalog.pg_constraint AS k
         WHERE k.conindid = x.indexrelid
           AND k.conrelid = x.indrelid
           AND k.contype IN ('p', 'u', 'x')) AS "constraint",
       x.indisclustered AS clustered,
       x.indisreplident AS is_replica_identity,
       pg_catalog.pg_stat_get_numscans(x.indexrelid) AS scans
  FROM pg_catalog.pg_index AS x
  JOIN pg_catalog.pg_class AS c
    ON c.oid = x.indrelid
  JOIN pg_catalog.pg_namespace AS n
    ON n.oid = c.relnamespace
 WHERE x.indexrelid = $1::oid
