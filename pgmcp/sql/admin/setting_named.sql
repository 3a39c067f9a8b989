-- Purpose: one setting, as far as changing it needs.   Needs: nothing.   Since: 15.
-- Parameter: $1 the name, in any case.
SELECT s.name,
       s.context,
       s.vartype,
       s.unit,
       s.reset_val AS value,
       s.source,
       s.pending_restart
  FROM pg_catalog.pg_settings AS s
 WHERE pg_catalog.lower(s.name) = pg_catalog.lower($1);
