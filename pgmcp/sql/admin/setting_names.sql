-- Purpose: all settings, for the nearest to a misspelt one.   Needs: nothing.   Since: 15.
SELECT s.name
  FROM pg_catalog.pg_settings AS s
 ORDER BY s.name;
