#!/bin/sh
# Makes the database of calls that name none, where it is not there: create-database.sh NAME HOST PORT
#
# Its owner is a new role of its name that cannot log in and is no superuser, so that DDL makes
# objects which the owner owns. A database or role that is there is left as it is.
set -eu

exec psql --no-psqlrc --no-password --quiet --set ON_ERROR_STOP=1 --set name="$1" \
    --host "$2" --port "$3" --dbname postgres <<'SQL'
SELECT format('CREATE ROLE %I NOLOGIN', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = :'name')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = :'name')
\gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = :'name')
\gexec
SQL
