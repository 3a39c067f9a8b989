-- Purpose: the indexes of a table.   Needs: nothing.   Since: 15.
-- Parameters: $1 the table's oid.   Units: size in bytes; NULL where measuring would wait for a lock.
WITH busy AS MATERIALIZED (
    SELECT l.relation AS oid
      FROM pg_catalog.pg_locks AS l
     WHERE l.locktype = 'relation'
       AND l.mode = 'AccessExclusiveLock'
       AND l.pid <> pg_catalog.pg_backend_pid()
)
SELECT c.relname AS name,
       x.indisunique AS "unique",
       pg_catalog.substr(shown.definition, pg_catalog.strpos(pg_catalog.substr(shown.definition, shown.named), ' USING ') + shown.named + 6) AS method_and_keys,
       shown.definition,
       CASE WHEN x.indisprimary THEN 'primary key'
            ELSE (SELECT CASE k.contype WHEN 'u' THEN 'unique constraint' ELSE 'exclusion constraint' END
                    FROM pg_catalog.pg_constraint AS k
                   WHERE k.conindid = c.oid
                     AND k.conrelid = x.indrelid
                     AND k.contype IN ('u', 'x'))
        END AS serves,
       CASE WHEN NOT x.indisvalid THEN true END AS invalid,
       CASE WHEN c.relkind = 'i'
             AND NOT EXISTS (SELECT FROM busy AS b WHERE b.oid IN (c.oid, x.indrelid))
            THEN pg_catalog.pg_total_relation_size(c.oid)
        END AS bytes,
       pg_catalog.obj_description(c.oid, 'pg_class') AS comment
  FROM pg_catalog.pg_index AS x
  JOIN pg_catalog.pg_class AS c
    ON c.oid = x.indexrelid
 CROSS JOIN LATERAL (
       SELECT pg_catalog.pg_get_indexdef(c.oid) AS definition,
              pg_catalog.length('CREATE INDEX ' || pg_catalog.quote_ident(c.relname) || ' ON ' || pg_catalog.quote_ident(n.nspname)
                     || '.' || pg_catalog.quote_ident(t.relname)) AS named
         FROM pg_catalog.pg_class AS t
         JOIN pg_catalog.pg_namespace AS n
           ON n.oid = t.relnamespace
        WHERE t.oid = x.indrelid) AS shown
 WHERE x.indrelid = $1::oid
 ORDER BY x.indisprimary DESC, c.relname
