-- Purpose: the names for which a read by this role would run code of a SECURITY DEFINER function, or
--          of one that works in another session.   Needs: nothing.   Since: 15.
-- Units: one row for each name and function behind it. kind: function, operator, relation, type, or
-- target, a relation that matters to changes only. visible: can be named without its schema.
-- of_row: can be written as a column, row.function; of_value: of any value, (x).function. owner: whose rights it has; null: the reader's.
-- Each operator here has an exact match in pg_catalog, so that none of a user's takes its place.
WITH RECURSIVE me AS (
    SELECT r.oid, r.rolname::text AS name, r.rolsuper
      FROM pg_catalog.pg_roles AS r
     WHERE r.rolname = current_user
), opaque AS MATERIALIZED (
    -- Functions whose bodies are texts: PostgreSQL does not record what they use.
    SELECT p.oid, pg_catalog.lower(p.prosrc) AS body
      FROM pg_catalog.pg_proc AS p
      JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
      JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
     WHERE l.lanname::text NOT IN ('internal', 'c')
       AND p.prosqlbody IS NULL
       AND n.nspname <> 'pg_catalog'
), part AS MATERIALIZED (
    -- Parts of aggregates run with the rights of the aggregate's owner.
    SELECT u.function
      FROM pg_catalog.pg_aggregate AS a
     CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[
           a.aggtransfn::oid, a.aggfinalfn::oid, a.aggcombinefn::oid, a.aggserialfn::oid,
           a.aggdeserialfn::oid, a.aggmtransfn::oid, a.aggminvtransfn::oid, a.aggmfinalfn::oid
           ]) AS u (function)
), definer AS (
    -- What the role may not execute cannot run. A GRANT to pgmcp_read by name, not to PUBLIC, says
    -- that a function is meant for readers.
    SELECT p.oid
      FROM pg_catalog.pg_proc AS p
     CROSS JOIN me
     WHERE (p.prosecdef
            OR pg_catalog.starts_with(p.proname::text, 'dblink')
            OR pg_catalog.starts_with(p.proname::text, 'pg_background_'))
       AND (pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
            OR EXISTS (SELECT FROM part WHERE part.function = p.oid))
       AND NOT (me.name = 'pgmcp_read' AND NOT me.rolsuper AND EXISTS (
                SELECT FROM pg_catalog.aclexplode(p.proacl) AS x
                 WHERE x.grantee = me.oid AND x.privilege_type = 'EXECUTE'))
), reached (class, object, root) AS (
    SELECT 'pg_proc'::name, d.oid, d.oid
      FROM definer AS d
     UNION
    SELECT s.class, s.object, r.root
      FROM reached AS r
     CROSS JOIN LATERAL (
        -- What PostgreSQL has recorded: aggregates, operators, casts, SQL bodies, defaults of
        -- arguments, expressions of every kind. A relation's own parts do not use it, and a
        -- column of a type does not run its functions.
        SELECT k.relname, d.objid
          FROM pg_catalog.pg_depend AS d
          JOIN pg_catalog.pg_class AS k ON k.oid = d.classid
         WHERE d.refobjid = r.object
           AND d.refclassid = (SELECT c.oid
                                 FROM pg_catalog.pg_class AS c
                                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                                WHERE c.relname = r.class AND n.nspname = 'pg_catalog')
           AND CASE r.class
               WHEN 'pg_class' THEN k.relname IN ('pg_rewrite', 'pg_proc', 'pg_policy')
               WHEN 'pg_type' THEN k.relname NOT IN ('pg_cast', 'pg_operator', 'pg_opclass')
                                   AND (k.relname <> 'pg_class' OR d.objsubid = 0)
               ELSE true
               END
         UNION ALL
        -- Reading a view runs its rule; a materialized view holds its rows already.
        SELECT 'pg_class', w.ev_class
          FROM pg_catalog.pg_rewrite AS w
          JOIN pg_catalog.pg_class AS c ON c.oid = w.ev_class
         WHERE r.class = 'pg_rewrite' AND w.oid = r.object AND w.ev_type = '1' AND c.relkind = 'v'
         UNION ALL
        -- A virtual column is computed when it is read.
        SELECT 'pg_class', f.adrelid
          FROM pg_catalog.pg_attrdef AS f
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
         WHERE r.class = 'pg_attrdef' AND f.oid = r.object AND a.attgenerated = 'v'
         UNION ALL
        -- A policy runs below a view for whom the view asks: its owner, or its reader.
        SELECT 'pg_class', v.oid
          FROM pg_catalog.pg_policy AS p
          JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
          JOIN pg_catalog.pg_depend AS d ON d.refobjid = c.oid
          JOIN pg_catalog.pg_rewrite AS w ON w.oid = d.objid AND w.ev_type = '1'
          JOIN pg_catalog.pg_class AS v ON v.oid = w.ev_class AND v.relkind = 'v'
          JOIN pg_catalog.pg_roles AS o ON o.oid = v.relowner
         WHERE r.class = 'pg_policy' AND p.oid = r.object AND p.polcmd IN ('r', '*')
           AND CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_options_to_table(v.reloptions) AS x
                                  WHERE x.option_name = 'security_invoker'
                                    AND x.option_value::boolean)
                    THEN pg_catalog.row_security_active(c.oid)
                    ELSE c.relrowsecurity AND NOT o.rolsuper AND NOT o.rolbypassrls
                         AND (v.relowner <> c.relowner OR c.relforcerowsecurity)
               END
         UNION ALL
        -- The planner computes constant parts of these, as far as functions are immutable.
        SELECT 'pg_class', c.conrelid
          FROM pg_catalog.pg_constraint AS c
         WHERE r.class = 'pg_constraint' AND c.oid = r.object AND c.contype = 'c'
           AND c.conrelid <> 0::oid
           AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                         JOIN pg_catalog.pg_proc AS p ON p.oid = d.refobjid
                        WHERE d.objid = c.oid AND p.provolatile = 'i')
         UNION ALL
        SELECT 'pg_class', i.indrelid
          FROM pg_catalog.pg_index AS i
         WHERE r.class = 'pg_class' AND i.indexrelid = r.object
         UNION ALL
        SELECT 'pg_class', e.stxrelid
          FROM pg_catalog.pg_statistic_ext AS e
         WHERE r.class = 'pg_statistic_ext' AND e.oid = r.object
         UNION ALL
        -- A parent's rows come from its children too.
        SELECT 'pg_class', i.inhparent
          FROM pg_catalog.pg_inherits AS i
         WHERE r.class = 'pg_class' AND i.inhrelid = r.object
         UNION ALL
        -- A domain's conditions run where a value becomes one, also inside a row.
        SELECT 'pg_type', c.contypid
          FROM pg_catalog.pg_constraint AS c
         WHERE r.class = 'pg_constraint' AND c.oid = r.object AND c.contypid <> 0::oid
         UNION ALL
        SELECT 'pg_type', c.reltype
          FROM pg_catalog.pg_attribute AS a
          JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid AND c.reltype <> 0::oid
         WHERE r.class = 'pg_type' AND a.atttypid = r.object AND a.attnum > 0
         UNION ALL
        -- Casts and comparisons of a type run unasked wherever a value of it is.
        SELECT 'used type', CASE WHEN c.castsource >= 16384::oid THEN c.castsource
                                 ELSE c.casttarget END
          FROM pg_catalog.pg_cast AS c
         WHERE r.class = 'pg_cast' AND c.oid = r.object
         UNION ALL
        SELECT u.class, u.object
          FROM (SELECT m.amprocfamily
                  FROM pg_catalog.pg_amproc AS m
                 WHERE r.class = 'pg_amproc' AND m.oid = r.object
                 UNION ALL
                SELECT m.amopfamily
                  FROM pg_catalog.pg_amop AS m
                 WHERE r.class = 'pg_amop' AND m.oid = r.object) AS f (family)
          JOIN pg_catalog.pg_opclass AS k ON k.opcfamily = f.family
         CROSS JOIN LATERAL (VALUES ('pg_opclass'::name, k.oid), ('used type'::name, k.opcintype)
                            ) AS u (class, object)
         WHERE u.object >= 16384::oid
         UNION ALL
        SELECT 'pg_class', a.attrelid
          FROM pg_catalog.pg_attribute AS a
         WHERE r.class = 'used type' AND a.atttypid = r.object AND a.attnum > 0
         UNION ALL
        -- A text that holds the name in a place where it could be used.
        SELECT 'pg_proc', o.oid
          FROM opaque AS o
         CROSS JOIN LATERAL (
            SELECT pg_catalog.lower(p.proname::text), '"?\s*\('
              FROM pg_catalog.pg_proc AS p
             WHERE r.class = 'pg_proc' AND p.oid = r.object
             UNION ALL
            SELECT pg_catalog.lower(c.relname::text), '\M'
              FROM pg_catalog.pg_class AS c
             WHERE r.class = 'pg_class' AND c.oid = r.object
             UNION ALL
            SELECT pg_catalog.lower(y.typname::text), '\M'
              FROM pg_catalog.pg_type AS y
             WHERE r.class = 'pg_type' AND y.oid = r.object
             UNION ALL
            SELECT q.oprname::text, ''
              FROM pg_catalog.pg_operator AS q
             WHERE r.class = 'pg_operator' AND q.oid = r.object) AS w (word, after)
         WHERE pg_catalog.strpos(o.body, w.word) > 0
           AND (w.after = ''
                OR o.body ~ ('\m' || pg_catalog.regexp_replace(w.word, '(\W)', '\\\1', 'g')
                             || w.after))
     ) AS s (class, object)
), named (kind, schema, name, visible, of_row, of_value, root) AS (
    SELECT 'function', p.pronamespace, p.proname, pg_catalog.pg_function_is_visible(p.oid),
           p.pronargs >= 1 AND p.pronargs - p.pronargdefaults <= 1
           AND (SELECT y.typtype IN ('c', 'p', 'd')
                  FROM pg_catalog.pg_type AS y
                 WHERE y.oid = p.proargtypes[0]),
           p.pronargs >= 1 AND p.pronargs - p.pronargdefaults <= 1,
           r.root
      FROM reached AS r
      JOIN pg_catalog.pg_proc AS p ON r.class = 'pg_proc' AND p.oid = r.object
     UNION ALL
    SELECT 'operator', o.oprnamespace, o.oprname, pg_catalog.pg_operator_is_visible(o.oid),
           false, false, r.root
      FROM reached AS r
      JOIN pg_catalog.pg_operator AS o ON r.class = 'pg_operator' AND o.oid = r.object
     UNION ALL
    SELECT 'type', y.typnamespace, y.typname, pg_catalog.pg_type_is_visible(y.oid), false,
           false, r.root
      FROM reached AS r
      JOIN pg_catalog.pg_type AS y ON r.class IN ('pg_type', 'used type') AND y.oid = r.object
     UNION ALL
    SELECT x.kind, c.relnamespace, c.relname, pg_catalog.pg_table_is_visible(c.oid), false,
           false, r.root
      FROM reached AS r
     CROSS JOIN LATERAL (
        SELECT 'relation', r.object
         WHERE r.class = 'pg_class'
         UNION ALL
        SELECT CASE WHEN p.polcmd IN ('r', '*') THEN 'relation' ELSE 'target' END, p.polrelid
          FROM pg_catalog.pg_policy AS p
         WHERE r.class = 'pg_policy' AND p.oid = r.object
           AND pg_catalog.row_security_active(p.polrelid)
         UNION ALL
        SELECT 'target', f.adrelid
          FROM pg_catalog.pg_attrdef AS f
         WHERE r.class = 'pg_attrdef' AND f.oid = r.object
         UNION ALL
        SELECT 'target', w.ev_class
          FROM pg_catalog.pg_rewrite AS w
         WHERE r.class = 'pg_rewrite' AND w.oid = r.object AND w.ev_type <> '1'
        ) AS x (kind, object)
      JOIN pg_catalog.pg_class AS c ON c.oid = x.object AND c.relkind NOT IN ('i', 'I')
)
SELECT DISTINCT
       a.kind, n.nspname::text AS schema, a.name::text AS name, a.visible, a.of_row,
       a.of_value,
       p.oid::pg_catalog.regprocedure::text AS function,
       CASE WHEN p.prosecdef THEN pg_catalog.pg_get_userbyid(p.proowner)::text END AS owner,
       current_user::text AS reader
  FROM named AS a
  JOIN pg_catalog.pg_namespace AS n ON n.oid = a.schema
  JOIN pg_catalog.pg_proc AS p ON p.oid = a.root
 ORDER BY kind, schema, name, function;
