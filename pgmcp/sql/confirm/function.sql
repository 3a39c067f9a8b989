-- Purpose: what a function is called, with the types that tell it from others of its name.   Needs: nothing.   Since: 15.
-- Parameters: $1 the name, $2 its signature or null, $3 the types of the signature.
-- Before 16, to_regprocedure raises an error where an argument's type does not exist.
WITH named AS MATERIALIZED (
    SELECT CASE WHEN $2::text IS NULL THEN pg_catalog.to_regproc($1)::oid
                WHEN (SELECT pg_catalog.bool_and(pg_catalog.to_regtype(argument) IS NOT NULL)
                        FROM pg_catalog.unnest($3::text[]) AS argument) IS NOT FALSE
                THEN pg_catalog.to_regprocedure($2)::oid END AS oid)
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname) || '('
       || coalesce((SELECT pg_catalog.string_agg(pg_catalog.format_type(a.type, NULL), ',' ORDER BY a.place)
                      FROM pg_catalog.unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(type, place)), '')
       || ')' AS name,
       p.oid
  FROM named
  JOIN pg_catalog.pg_proc AS p ON p.oid = named.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace;
