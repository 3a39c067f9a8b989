#!/bin/sh
# Brings a backup of services.pgmcp.backup back: the roles first, then every database as it was.
#
#   restore.sh /var/backup/pgmcp/2026-11-23T03-15-00Z
#
# For root, on a host that runs services.pgmcp. Each database of the backup REPLACES the one of its
# name; databases that are not in the backup stay. The server is the one that pgmcp-backup.service
# dumps, or PGHOST and PGPORT. Ends with 1 if something could not be restored, and with 2 if it
# changed nothing.
set -eu
# The words of psql and systemctl are looked at.
export LC_ALL=C

backup=${1:-}
[ -r "$backup/roles.sql" ] || {
    echo "usage: restore.sh DIRECTORY, one that has roles.sql in it; there is none in '$backup'." >&2
    exit 2
}
backup=$(cd "$backup" && pwd)
# Where postgres may be too.
cd /
units="pgmcp.socket pgmcp-local.socket pgmcp.service pgmcp-provision.timer"
failed=0

refuse() {
    echo "$1 Nothing was changed." >&2
    exit 2
}

# Read by root and handed over: postgres need not be able to open the files.
as_postgres() {
    PGOPTIONS="-c client_min_messages=warning -c lc_messages=C" runuser -u postgres -- "$@"
}

query() {
    as_postgres psql --no-psqlrc --no-password --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 "$@"
}

# What the nightly backup has in its environment.
of_unit() {
    systemctl show --property Environment --value pgmcp-backup.service | tr ' ' '\n' | sed -n "s/^$1=//p" | tail -n 1
}

# Finds a database to be connected to while $1 is replaced: nothing can drop its own. Either may be
# missing after an interruption.
beside() {
    for other in template1 postgres; do
        [ "$other" != "$1" ] && query --dbname "$other" --command 'SELECT 1' >/dev/null && return
    done
    return 1
}

# The dump brings the mark of a template back.
drop() {
    beside "$1" || return
    query --set "name=$1" --dbname "$other" <<'SQL'
SELECT format('ALTER DATABASE %I IS_TEMPLATE false', datname) FROM pg_catalog.pg_database
    WHERE datname = :'name' AND datistemplate \gexec
DROP DATABASE IF EXISTS :"name" WITH (FORCE);
SQL
}

# Replaces the database $1 by the dump $2.
restore() {
    # Into one that is still there pg_restore would add every row again.
    drop "$1" || {
        echo "database $1 could not be dropped, so it was not restored; the reason is above." >&2
        failed=1
        return
    }
    if as_postgres pg_restore --no-password --create "--dbname=$other" <"$2"; then
        echo "restored database $1"
        restored=$((restored + 1))
    else
        echo "database $1 was not restored without errors; they are above." >&2
        failed=1
    fi
}

# First everything that can be known before the first database is gone.
PGHOST=${PGHOST:-$(of_unit PGHOST)}
PGPORT=${PGPORT:-$(of_unit PGPORT)}
export PGHOST PGPORT
if [ -z "$PGHOST" ] || [ -z "$PGPORT" ]; then
    refuse "pgmcp-backup.service does not say which PostgreSQL this is for. Set PGHOST and PGPORT, such as /run/postgresql and 5432."
fi
systemctl start postgresql
beside '' || refuse "PostgreSQL does not answer at $PGHOST port $PGPORT."
# Debian's wrappers run the newest programs, which an older server does not understand.
major=$(query --dbname "$other" --command "SELECT current_setting('server_version_num')::int / 10000")
PATH=/usr/lib/postgresql/$major/bin:$PATH
# A name may begin with a dot; a pattern that nothing matches stands for itself.
set --
for dump in "$backup"/*.dump "$backup"/.*.dump; do
    [ ! -f "$dump" ] || set -- "$@" "$dump"
done
bad=''
for dump in "$@"; do
    as_postgres pg_restore --file /dev/null <"$dump" || bad="$bad ${dump##*/}"
done
[ -z "$bad" ] || refuse "these dumps cannot be read, as said above:$bad. Take another backup."
[ "$#" -gt 0 ] || refuse "there is no .dump in $backup. Take another backup."
grep -q '^-- PostgreSQL database cluster dump complete' "$backup/roles.sql" ||
    refuse "$backup/roles.sql has no end. Take another backup."
# Backups of before had no such file.
[ ! -f "$backup/server" ] || grep -qx "databases=$#" "$backup/server" ||
    refuse "$backup has $# dumps, but its server file says $(grep databases= "$backup/server"). Take another backup."
echo "restoring into PostgreSQL at $PGHOST port $PGPORT"

# Nothing may be connected to what is replaced, and nothing may change roles meanwhile.
# shellcheck disable=SC2086 # a list of words
trap 'systemctl start $units' EXIT
# dash runs no EXIT trap at a signal.
trap 'echo "interrupted: a database may be missing or half restored. Run this again." >&2; exit 1' HUP INT TERM
# shellcheck disable=SC2086
systemctl stop $units
systemctl stop pgmcp-provision.service

# A new host has the gateway's roles already: those (42710, duplicate_object) are brought up to date
# by what follows in the file. Every other error counts.
said=$(as_postgres psql --no-psqlrc --no-password --quiet --set VERBOSITY=verbose --dbname "$other" \
    <"$backup/roles.sql" 2>&1 >/dev/null) || failed=1
said=$(echo "$said" | grep -v -e 'ERROR:  42710:' -e '^LOCATION: ' -e '^$' || true)
[ -z "$said" ] || echo "$said" >&2
if [ "$failed" = 1 ] || echo "$said" | grep -qE '(ERROR|FATAL):  |: error: '; then
    echo "not all roles were restored; the reasons are above." >&2
    failed=1
fi

restored=0
for dump in "$@"; do
    restore "$(basename "$dump" .dump)" "$dump"
done
echo "restored $restored of $# databases"

# Grants that a backup of another version could not know.
systemctl start pgmcp-provision.service || failed=1
exit "$failed"
