-- Purpose: whether there is code at all that a read must not run: of SECURITY DEFINER functions, or
--          of functions that work in another session.   Needs: nothing.   Since: 15.
-- Units: one row, `found` true or false.
SELECT EXISTS (
           SELECT FROM pg_catalog.pg_proc AS p
            WHERE p.prosecdef
               OR pg_catalog.starts_with(p.proname::text, 'dblink')
               OR pg_catalog.starts_with(p.proname::text, 'pg_background_')) AS found;
