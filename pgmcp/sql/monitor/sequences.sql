-- Purpose: how full sequences are, against their own and their column's limit.
-- Needs: SELECT on the sequences.   Since: 14.
-- Units: percent of the values between the start of the range and the limit.
-- Pattern: schema.sequence, sequence, or schema.table of the column.
WITH sequences AS (
  SELECT c.oid, n.nspname || '.' || c.relname AS plain_name, c.relname,
         quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
         q.seqtypid, q.seqmin, q.seqmax, q.seqincrement, q.seqcycle,
         has_sequence_privilege(q.seqrelid, 'USAGE, SELECT') AS may_read,
         w.is_locked,
         CASE
           WHEN has_sequence_privilege(q.seqrelid, 'USAGE, SELECT') AND NOT w.is_locked
                AND NOT (c.relpersistence = 'u' AND pg_is_in_recovery())
             THEN pg_sequence_last_value(q.seqrelid)
         END AS last_value
    FROM pg_catalog.pg_sequence AS q
    JOIN pg_catalog.pg_class AS c ON c.oid = q.seqrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   CROSS JOIN LATERAL (
           -- ALTER SEQUENCE of another session: reading would wait for its end.
           SELECT EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                           WHERE l.relation = q.seqrelid AND l.locktype = 'relation'
                             AND l.pid IS DISTINCT FROM pg_backend_pid()
                             AND l.mode IN ('AccessExclusiveLock', 'ExclusiveLock',
                                            'ShareRowExclusiveLock', 'ShareLock'))
                  AS is_locked) AS w
   WHERE NOT pg_is_other_temp_schema(n.oid)
), columns AS (
  -- Owned (serial, identity), or used by a default without being owned.
  SELECT d.objid AS sequence, d.refobjid AS relid, d.refobjsubid AS attnum
    FROM pg_catalog.pg_depend AS d
   WHERE d.classid = 'pg_catalog.pg_class'::regclass
     AND d.refclassid = 'pg_catalog.pg_class'::regclass
     AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
   UNION
  SELECT d.refobjid, f.adrelid, f.adnum
    FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_attrdef AS f ON f.oid = d.objid
   WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass
     AND d.refclassid = 'pg_catalog.pg_class'::regclass
     AND d.refobjsubid = 0
), used AS (
  SELECT s.oid, s.plain_name, s.relname, s.name, s.seqtypid, s.seqmin, s.seqmax, s.seqincrement,
         s.seqcycle, s.may_read, s.is_locked, s.last_value,
         n.nspname || '.' || t.relname AS plain_table,
         quote_ident(n.nspname) || '.' || quote_ident(t.relname) AS table_name,
         quote_ident(a.attname) AS column_name, a.atttypid,
         CASE a.atttypid
           WHEN 'pg_catalog.int2'::regtype THEN 32767
           WHEN 'pg_catalog.int4'::regtype THEN 2147483647
           ELSE 9223372036854775807
         END AS type_max
    FROM sequences AS s
    LEFT JOIN columns AS u ON u.sequence = s.oid
    LEFT JOIN pg_catalog.pg_class AS t ON t.oid = u.relid
    LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = u.attnum
), bounded AS (
  SELECT u.plain_name, u.relname, u.name, u.plain_table, u.table_name, u.column_name, u.seqtypid,
         u.atttypid, u.seqincrement, u.seqcycle, u.may_read, u.is_locked, u.last_value, u.seqmax,
         u.type_max,
         CASE WHEN u.seqincrement > 0 THEN u.seqmin ELSE u.seqmax END AS first_value,
         CASE
           WHEN u.seqincrement > 0 THEN least(u.seqmax, u.type_max)
           ELSE greatest(u.seqmin, -u.type_max - 1)
         END AS limit_value
    FROM used AS u
), filled AS (
  SELECT b.plain_name, b.relname, b.name, b.plain_table, b.table_name, b.column_name, b.seqtypid,
         b.atttypid, b.seqcycle, b.may_read, b.is_locked, b.last_value, b.limit_value, b.seqmax,
         b.type_max, b.may_read AND NOT b.is_locked AS is_readable,
         round(100.0 * abs(coalesce(b.last_value, b.first_value)::numeric - b.first_value)
               / nullif(abs(b.limit_value::numeric - b.first_value), 0), 2) AS percent_used,
         CASE
           WHEN b.may_read AND NOT b.is_locked
             THEN trunc(abs(b.limit_value::numeric - coalesce(b.last_value, b.first_value))
                        / abs(b.seqincrement))
         END AS values_left
    FROM bounded AS b
)
SELECT f.name AS sequence, f.table_name || '.' || f.column_name AS used_by,
       format_type(f.seqtypid, NULL) AS type, format_type(f.atttypid, NULL) AS column_type,
       f.last_value, f.limit_value::bigint AS limit_value,
       CASE WHEN f.is_readable THEN f.percent_used::float8 END AS percent_used,
       CASE
         WHEN f.is_readable THEN least(f.values_left, 9223372036854775807)
       END::bigint AS values_left, f.seqcycle AS cycles,
       CASE
         WHEN f.is_locked THEN 'locked: see action=locks'
         WHEN NOT f.may_read
           THEN 'hidden; GRANT SELECT ON SEQUENCE ' || f.name || ' TO '
                || quote_ident(current_user)
         WHEN f.percent_used < 75 OR f.seqcycle THEN NULL
         WHEN f.type_max < f.seqmax OR f.type_max < 9223372036854775807
           THEN 'ALTER TABLE ' || f.table_name || ' ALTER COLUMN ' || f.column_name
                || ' TYPE bigint rewrites the table'
                || CASE
                     WHEN f.seqmax < 9223372036854775807
                       THEN '; ALTER SEQUENCE ' || f.name || ' AS bigint'
                     ELSE ''
                   END
         ELSE 'ALTER SEQUENCE ' || f.name || ' AS bigint NO MAXVALUE'
       END AS advice
  FROM filled AS f
 WHERE EXISTS (
         SELECT FROM unnest(ARRAY[f.plain_name, f.relname::text, f.plain_table]) AS field
          WHERE field ILIKE coalesce(nullif(current_setting('pgmcp.pattern', true), ''), '%'))
 ORDER BY CASE WHEN f.is_readable THEN f.percent_used END DESC NULLS LAST, f.name, f.table_name,
          f.column_name;
