-- Purpose: sequences of this database that are nearly exhausted.
-- Needs: SELECT on the sequences.   Since: 14.
-- Units: percent of the values that the sequence and the type of its column can hold.
WITH sequences AS (
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
         CASE
           WHEN q.seqincrement > 0
             THEN 100 * (pg_sequence_last_value(q.seqrelid)::numeric - q.seqmin)
                  / nullif(least(q.seqmax, t.column_max)::numeric - q.seqmin, 0)
           ELSE 100 * (q.seqmax - pg_sequence_last_value(q.seqrelid)::numeric)
                / nullif(q.seqmax - greatest(q.seqmin, -t.column_max - 1)::numeric, 0)
         END AS percent
    FROM pg_catalog.pg_sequence AS q
    JOIN pg_catalog.pg_class AS c ON c.oid = q.seqrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   CROSS JOIN LATERAL (
           -- The column that owns the sequence may have a smaller type.
           SELECT coalesce(min(CASE a.atttypid
                                 WHEN 'pg_catalog.int2'::regtype THEN 32767
                                 WHEN 'pg_catalog.int4'::regtype THEN 2147483647
                               END), 9223372036854775807) AS column_max
             FROM pg_catalog.pg_depend AS d
             JOIN pg_catalog.pg_attribute AS a
               ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
              AND d.refclassid = 'pg_catalog.pg_class'::regclass
              AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')) AS t
   WHERE NOT q.seqcycle
     AND c.relpersistence = 'p'
     AND has_sequence_privilege(q.seqrelid, 'USAGE, SELECT')
), fullest AS (
  SELECT coalesce(max(s.percent), 0) AS percent,
         (array_agg(s.name ORDER BY s.percent DESC NULLS LAST, s.name))[1] AS name,
         (SELECT count(*) FROM pg_catalog.pg_sequence AS q
           WHERE NOT has_sequence_privilege(q.seqrelid, 'USAGE, SELECT')) AS hidden
    FROM sequences AS s
)
SELECT 'sequences' AS "check",
       CASE
         WHEN f.percent >= 90 THEN 'crit'
         WHEN f.percent >= 75 THEN 'warn'
         WHEN f.hidden > 0 THEN 'unknown'
         ELSE 'ok'
       END AS status,
       concat_ws(', ', f.name || ' is ' || round(f.percent, 1) || '% used',
                 CASE WHEN f.hidden > 0 THEN f.hidden || ' not readable' END,
                 CASE WHEN f.name IS NULL AND f.hidden = 0 THEN 'none' END) AS value,
       'warn 75%, crit 90%' AS threshold,
       CASE
         WHEN f.percent >= 75 THEN 'action=sequences says what to alter'
         WHEN f.hidden > 0 THEN 'action=sequences names the GRANT for each'
       END AS hint
  FROM fullest AS f
 ORDER BY 1;
