-- Purpose: indexes of this database that nothing has read.   Needs: nothing.   Since: 14.
-- Units: bytes as last counted; constraints' indexes are spared.
WITH unused AS (
  SELECT count(*) AS indexes, coalesce(sum(c.relpages), 0) * current_setting('block_size')::bigint
           AS bytes
    FROM pg_catalog.pg_stat_user_indexes AS s
    JOIN pg_catalog.pg_index AS i ON i.indexrelid = s.indexrelid
    JOIN pg_catalog.pg_class AS c ON c.oid = s.indexrelid
   WHERE s.idx_scan = 0
     AND i.indisvalid AND NOT i.indisunique AND NOT i.indisreplident AND NOT c.relispartition
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k
                      WHERE k.conrelid = i.indrelid AND k.conindid = i.indexrelid
                        AND k.contype IN ('p', 'u', 'x'))
)
SELECT 'unused indexes' AS "check",
       CASE WHEN u.bytes >= 100 * 1024 * 1024 THEN 'warn' ELSE 'ok' END AS status,
       CASE
         WHEN u.indexes = 0 THEN 'none'
         ELSE format('%s, about %s', u.indexes, pg_size_pretty(u.bytes))
       END AS value,
       'warn from 100 MB' AS threshold,
       CASE WHEN u.indexes > 0 THEN 'each one slows writing: action=indexes lists them' END AS hint
  FROM unused AS u
 ORDER BY 1;
