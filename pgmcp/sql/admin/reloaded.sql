-- Purpose: whether this session has taken up the files since a moment.   Needs: nothing.   Since: 15.
-- Parameter: $1 the pg_conf_load_time() before; each look takes 20 ms.
SELECT pg_catalog.pg_conf_load_time() <> $1::pg_catalog.timestamptz AS is_loaded,
       pg_catalog.pg_sleep(0.02) AS pause;
