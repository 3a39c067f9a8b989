-- Purpose: indexes that are invalid, missing, duplicate or unused first, then all by size.
-- Needs: nothing.   Since: 14.
-- Units: bytes; scans since the statistics were last reset.
-- Pattern: schema.table, table or index.
-- Only one index of each set of duplicates is kept: the one that a constraint needs, if any.
-- Size and definition take a lock; where another session locks exclusively they stay NULL.
WITH locked AS MATERIALIZED (
  SELECT l.relation AS relid
    FROM pg_catalog.pg_locks AS l
    JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = current_database()
   WHERE l.locktype = 'relation'
     AND l.mode = 'AccessExclusiveLock'
     AND l.pid IS DISTINCT FROM pg_backend_pid()
), tables AS (
  SELECT c.oid, c.relname, c.relispartition, c.relpages, n.nspname,
         quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'm', 'p')
     AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), defined AS MATERIALIZED (
  SELECT i.indexrelid, i.indrelid, i.indisunique, i.indisprimary, i.indisvalid, i.indisreplident,
         i.indimmediate, l.is_locked,
         CASE WHEN NOT l.is_locked THEN pg_get_indexdef(i.indexrelid) END AS definition
    FROM pg_catalog.pg_index AS i
    JOIN tables AS t ON t.oid = i.indrelid
   CROSS JOIN LATERAL (
           SELECT EXISTS (SELECT FROM locked AS l
                           WHERE l.relid IN (i.indrelid, i.indexrelid)) AS is_locked) AS l
), indexes AS MATERIALIZED (
  SELECT i.indexrelid, t.name AS table_name, t.nspname, t.relname, c.relname AS index_name,
         quote_ident(t.nspname) || '.' || quote_ident(c.relname) AS name,
         i.indisunique, i.indisprimary, i.indisvalid, i.indisreplident, c.relkind,
         c.relispartition, k.conname, i.definition, i.is_locked,
         first_value(i.indexrelid) OVER (
           -- From USING on: all but the name and UNIQUE.
           PARTITION BY i.indrelid, i.indimmediate,
                        coalesce(substring(i.definition FROM ' USING .*'), i.indexrelid::text)
           ORDER BY c.relispartition DESC, i.indisvalid DESC, i.indisprimary DESC,
                    k.conname IS NULL, i.indisreplident DESC, i.indisunique DESC, i.indexrelid
         ) AS kept,
         CASE
           WHEN c.relkind = 'I'
             THEN (SELECT sum(p.idx_scan)
                     FROM pg_partition_tree(i.indexrelid) AS part
                     JOIN pg_catalog.pg_stat_user_indexes AS p ON p.indexrelid = part.relid)
           ELSE s.idx_scan
         END::bigint AS scans,
         -- PostgreSQL 16 and later; to_jsonb so that one file serves all.
         (to_jsonb(s) ->> 'last_idx_scan')::timestamptz(0) AS last_scan,
         CASE
           WHEN c.relkind = 'I'
             THEN (SELECT sum(pg_relation_size(part.relid))
                     FROM pg_partition_tree(i.indexrelid) AS part
                    WHERE part.relid NOT IN (SELECT l.relid FROM locked AS l))
           WHEN NOT i.is_locked THEN pg_relation_size(i.indexrelid)
         END::bigint AS index_bytes,
         EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p
                  WHERE p.index_relid = i.indexrelid) AS is_building
    FROM defined AS i
    JOIN tables AS t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    LEFT JOIN pg_catalog.pg_stat_user_indexes AS s ON s.indexrelid = i.indexrelid
    LEFT JOIN LATERAL (
           SELECT min(k.conname) AS conname
             FROM pg_catalog.pg_constraint AS k
            WHERE k.conrelid = i.indrelid AND k.conindid = i.indexrelid
              AND k.contype IN ('p', 'u', 'x')) AS k ON true
), flagged AS (
  SELECT i.table_name, i.nspname, i.relname, i.index_name, i.name, i.index_bytes, i.scans,
         i.last_scan, i.definition, i.kept, i.conname, i.relkind, i.is_building, i.indisvalid,
         i.is_locked,
         -- A partition's own index goes with that of the partitioned table.
         i.kept <> i.indexrelid AND NOT i.relispartition AS is_duplicate,
         i.scans = 0 AND NOT i.relispartition AND NOT i.indisunique AND NOT i.indisreplident
           AND i.conname IS NULL AS is_unused
    FROM indexes AS i
), judged AS (
  SELECT i.table_name, i.nspname, i.relname, i.index_name, i.name, i.index_bytes, i.scans,
         i.last_scan, i.definition, 0 AS table_pages,
         CASE
           WHEN i.is_building THEN 'being built'
           WHEN NOT i.indisvalid THEN 'invalid'
           WHEN i.is_duplicate THEN 'duplicate of ' || quote_ident(k.relname)
           WHEN i.is_unused THEN 'unused'
           WHEN i.is_locked THEN 'locked exclusively'
         END AS finding,
         CASE
           WHEN i.is_building THEN 'see action=progress'
           WHEN NOT i.indisvalid AND i.relkind = 'I'
             THEN 'a partition lacks it: ALTER INDEX ' || i.name || ' ATTACH PARTITION …'
           WHEN NOT i.indisvalid
             THEN 'REINDEX INDEX CONCURRENTLY ' || i.name || ', or drop it'
           WHEN i.is_duplicate AND i.conname IS NOT NULL
             THEN 'ALTER TABLE ' || i.table_name || ' DROP CONSTRAINT ' || quote_ident(i.conname)
           WHEN i.is_duplicate OR i.is_unused
             THEN 'DROP INDEX ' || CASE WHEN i.relkind = 'i' THEN 'CONCURRENTLY ' ELSE '' END
                  || i.name
                  || CASE
                       WHEN i.is_duplicate THEN ''
                       ELSE '; first see that standbys do not use it'
                            || coalesce(' and that the statistics, reset '
                                        || d.stats_reset::date || ', are old enough', '')
                     END
           WHEN i.is_locked THEN 'size and definition not read: see action=locks'
         END AS advice
    FROM flagged AS i
    JOIN pg_catalog.pg_class AS k ON k.oid = i.kept
    LEFT JOIN pg_catalog.pg_stat_database AS d ON d.datname = current_database()
), missing AS (
  SELECT t.name AS table_name, t.nspname, t.relname, NULL::name AS index_name, NULL::text AS name,
         NULL::bigint AS index_bytes, NULL::bigint AS scans, NULL::timestamptz AS last_scan,
         'FOREIGN KEY (' || f.columns || ') of ' || quote_ident(k.conname) AS definition,
         t.relpages AS table_pages,
         'foreign key without index' AS finding,
         'CREATE INDEX CONCURRENTLY ON ' || t.name || ' (' || f.columns || ')' AS advice
    FROM pg_catalog.pg_constraint AS k
    JOIN tables AS t ON t.oid = k.conrelid
   CROSS JOIN LATERAL (
           SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY key.place) AS columns
             FROM unnest(k.conkey) WITH ORDINALITY AS key(attnum, place)
             JOIN pg_catalog.pg_attribute AS a
               ON a.attrelid = k.conrelid AND a.attnum = key.attnum) AS f
   WHERE k.contype = 'f'
     AND k.conparentid = 0
     AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_index AS i
             JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
             JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
            WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
              AND i.indnkeyatts >= cardinality(k.conkey)
              AND am.amname IN ('btree', 'hash')
              AND (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey)
), listed AS (
  SELECT j.table_name, j.nspname, j.relname, j.index_name, j.name, j.index_bytes, j.scans,
         j.last_scan, j.definition, j.table_pages, j.finding, j.advice
    FROM judged AS j
   UNION ALL
  SELECT m.table_name, m.nspname, m.relname, m.index_name, m.name, m.index_bytes, m.scans,
         m.last_scan, m.definition, m.table_pages, m.finding, m.advice
    FROM missing AS m
)
SELECT l.table_name AS "table", l.index_name AS "index", l.finding, l.index_bytes, l.scans,
       l.last_scan, l.definition, l.advice
  FROM listed AS l
 WHERE EXISTS (
         SELECT FROM unnest(ARRAY[l.nspname || '.' || l.relname, l.relname::text,
                                  l.index_name::text]) AS field
          WHERE field ILIKE coalesce(nullif(current_setting('pgmcp.pattern', true), ''), '%'))
 ORDER BY CASE
            WHEN l.finding = 'invalid' THEN 1
            WHEN l.finding = 'being built' THEN 2
            WHEN l.finding LIKE 'foreign key%' THEN 3
            WHEN l.finding LIKE 'duplicate%' THEN 4
            WHEN l.finding = 'unused' THEN 5
            ELSE 6
          END,
          l.index_bytes DESC NULLS LAST, l.table_pages DESC, l.table_name, l.definition;
