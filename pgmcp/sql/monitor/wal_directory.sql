-- Purpose: how much disk the write-ahead log takes now.   Needs: pg_monitor.   Since: 14.
-- Units: bytes, named in the value.
SELECT 'directory' AS item,
       format('%s in %s files', pg_size_pretty(coalesce(sum(w.size), 0)), count(*)) AS value,
       format('oldest file of %s', min(w.modification)::timestamptz(0)) AS hint
  FROM pg_ls_waldir() AS w
 ORDER BY item;
