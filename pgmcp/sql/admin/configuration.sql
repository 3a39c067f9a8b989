-- Purpose: the values in force that a new one has to fit.   Needs: nothing.   Since: 15.
SELECT pg_catalog.lower(s.name) AS name,
       s.setting AS value
  FROM pg_catalog.pg_settings AS s
 WHERE s.context = 'postmaster'
 ORDER BY s.name;
