-- Purpose: what a sequence counts, in one row.   Needs: USAGE or SELECT on it for last_value.   Since: 15.
-- Parameters: $1 its oid. Numbers are text: they may exceed what JSON's readers keep.
SELECT pg_catalog.format_type(s.seqtypid, NULL) AS type,
       s.seqstart::text AS start,
       s.seqincrement::text AS increment,
       s.seqmin::text AS minimum,
       s.seqmax::text AS maximum,
       s.seqcache::text AS cache,
       s.seqcycle AS cycle,
       CASE WHEN pg_catalog.has_sequence_privilege(s.seqrelid, 'USAGE, SELECT')
            THEN pg_catalog.pg_sequence_last_value(s.seqrelid)::text
        END AS last_value,
       (SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) || '.'
               || pg_catalog.quote_ident(a.attname)
          FROM pg_catalog.pg_depend AS d
          JOIN pg_catalog.pg_class AS c
            ON c.oid = d.refobjid
          JOIN pg_catalog.pg_namespace AS n
            ON n.oid = c.relnamespace
          JOIN pg_catalog.pg_attribute AS a
            ON a.attrelid = d.refobjid
           AND a.attnum = d.refobjsubid
         WHERE d.classid = 'pg_catalog.pg_class'::regclass::oid
           AND d.objid = s.seqrelid
           AND d.refclassid = 'pg_catalog.pg_class'::regclass::oid
           AND d.deptype IN ('a', 'i')) AS owned_by
  FROM pg_catalog.pg_sequence AS s
 WHERE s.seqrelid = $1::oid
