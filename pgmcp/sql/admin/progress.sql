-- Purpose: how far one backend's maintenance command is.   Needs: the same role, or pg_read_all_stats.
-- Parameter: $1 the backend's pid.   Units: blocks.   Since: 15.
SELECT v.phase, v.heap_blks_scanned AS done, v.heap_blks_total AS total
  FROM pg_catalog.pg_stat_progress_vacuum AS v WHERE v.pid = $1::pg_catalog.int4
 UNION ALL
SELECT a.phase, a.sample_blks_scanned, a.sample_blks_total
  FROM pg_catalog.pg_stat_progress_analyze AS a WHERE a.pid = $1::pg_catalog.int4
 UNION ALL
SELECT c.phase, c.heap_blks_scanned, c.heap_blks_total
  FROM pg_catalog.pg_stat_progress_cluster AS c WHERE c.pid = $1::pg_catalog.int4
 UNION ALL
SELECT i.phase, i.blocks_done, i.blocks_total
  FROM pg_catalog.pg_stat_progress_create_index AS i WHERE i.pid = $1::pg_catalog.int4
 ORDER BY phase;
