#!/bin/sh
# Brings a backup of services.pgmcp.backup back: the roles first, then every database as it was.
#
#   restore.sh /var/backup/pgmcp/2026-11-23T03-15-00Z
#
# For root, on a host that runs services.pgmcp. Each database of the backup REPLACES the one of its
# name; databases that are not in the backup stay. Ends with 1 if something could not be restored.
set -eu

backup=${1:-}
[ -r "$backup/roles.sql" ] || {
    echo "usage: restore.sh DIRECTORY, one that has roles.sql in it; there is none in '$backup'." >&2
    exit 2
}
units="pgmcp.socket pgmcp-local.socket pgmcp.service pgmcp-provision.timer"
failed=0

# Read by root and handed over: postgres need not be able to open the files.
as_postgres() {
    PGOPTIONS="-c client_min_messages=warning" runuser -u postgres -- "$@"
}

# Nothing may be connected to what is replaced, and nothing may change roles meanwhile.
# shellcheck disable=SC2086 # a list of words
systemctl stop $units
# shellcheck disable=SC2086
trap 'systemctl start $units' EXIT
systemctl start postgresql
systemctl stop pgmcp-provision.service

# A new host has the gateway's roles already: those are only brought up to date.
# shellcheck disable=SC2016 # a quoted block of SQL
sed 's/^CREATE ROLE .*;$/DO $do$ BEGIN & EXCEPTION WHEN duplicate_object THEN NULL; END $do$;/' \
    "$backup/roles.sql" | as_postgres psql --no-psqlrc --quiet --dbname postgres

for dump in "$backup"/*.dump; do
    name=$(basename "$dump" .dump)
    case $name in
        # These two are always there, and nothing can drop the one it is connected to.
        postgres | template1) set -- --clean --if-exists "--dbname=$name" ;;
        *)
            set -- --create --dbname=postgres
            echo 'DROP DATABASE IF EXISTS :"name" WITH (FORCE);' |
                as_postgres psql --no-psqlrc --quiet --set "name=$name" --dbname postgres
            ;;
    esac
    if as_postgres pg_restore "$@" <"$dump"; then
        echo "restored database $name"
    else
        echo "database $name was not restored without errors; they are above." >&2
        failed=1
    fi
done

# Grants that a backup of another version could not know.
systemctl start pgmcp-provision.service || failed=1
exit "$failed"
