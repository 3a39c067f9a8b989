#!/bin/sh
# Dumps every database and the roles into a directory of their own, and keeps the last few.
#
# PGMCP_BACKUP_LOCATION=/var/backup/pgmcp  PGMCP_BACKUP_KEEP=7   and libpq's variables
#
# LOCATION/2026-11-23T03-15-00Z/{roles.sql,server,NAME.dump…}: roles.sql for psql, the dumps for
# pg_restore, and in `server` what was dumped. A backup has its name only when it is whole; the
# oldest go only after that.
set -eu
umask 077

location=$PGMCP_BACKUP_LOCATION
keep=${PGMCP_BACKUP_KEEP:-}
partial=$location/.partial
target=$location/$(date -u +%Y-%m-%dT%H-%M-%SZ)

fail() {
    echo "$1 Nothing was removed; the backups before this one are in $location." >&2
    exit 1
}

# dash runs no EXIT trap at a signal, and systemd wants to see the signal that it sent.
stopped() {
    trap - EXIT "$1"
    rm -rf "$partial"
    kill -s "$1" $$
}

case $keep in *[!0-9]* | '') keep=0 ;; esac
[ "$keep" -ge 1 ] 2>/dev/null ||
    fail "PGMCP_BACKUP_KEEP is '${PGMCP_BACKUP_KEEP:-}'. It is how many backups stay: a whole number, at least 1."

(: >>"$location/.lock") 2>/dev/null || fail "cannot write to $location."
# Held until this and every program that it started have ended.
exec 9>>"$location/.lock"
flock --nonblock 9 ||
    fail "another backup to $location has not ended yet. Wait for it: systemctl status pgmcp-backup."

# From here on the unfinished directory is ours: a full disk is not left full.
trap 'rm -rf "$partial"' EXIT
trap 'stopped HUP' HUP
trap 'stopped INT' INT
trap 'stopped TERM' TERM
rm -rf "$partial"
mkdir "$partial" || fail "cannot make $partial; the reason is above."

ask() {
    psql --no-psqlrc --no-password --tuples-only --no-align --set ON_ERROR_STOP=1 \
        --dbname postgres --command "$1"
}

# -2 is what an interrupted DROP DATABASE leaves: nobody can connect to it, and it can only be dropped.
databases="FROM pg_catalog.pg_database WHERE datallowconn AND datconnlimit <> -2 AND datname <> 'template0'"
strange=$(ask "SELECT count(*) $databases AND datname ~ '[/[:cntrl:]]'") ||
    fail "PostgreSQL does not answer. See: systemctl status postgresql."
[ "$strange" = 0 ] ||
    fail "the name of a database has a slash or a control character, which no file can have. Rename it: ALTER DATABASE … RENAME TO …."
ask "SELECT datname $databases ORDER BY datname" >"$partial/.names" ||
    fail "the names of the databases could not be read or written; the reason is above."
broken=$(ask "SELECT string_agg(quote_ident(datname), ', ') FROM pg_catalog.pg_database WHERE datconnlimit = -2") ||
    fail "the names of the databases could not be read; the reason is above."
[ -z "$broken" ] || echo "not dumped, because a DROP DATABASE of it was interrupted: $broken. Drop it again." >&2
version=$(ask "SHOW server_version_num") || fail "PostgreSQL's version could not be read; the reason is above."
# Debian's wrappers run the newest programs, whose dumps an older server does not understand.
PATH=/usr/lib/postgresql/$((version / 10000))/bin:$PATH

pg_dumpall --no-password --globals-only --file "$partial/roles.sql" || fail "pg_dumpall failed; its message is above."
count=0
while IFS= read -r name; do
    # By the environment: as an argument a name with = in it would be a connection string.
    PGDATABASE=$name pg_dump --no-password --format custom --file "$partial/$name.dump" ||
        fail "pg_dump of database $name failed; its message is above."
    # All of it, as the data of a truncated file is not missed by its table of contents.
    pg_restore --file /dev/null "$partial/$name.dump" || fail "the dump of database $name cannot be read back."
    # One by one: a pattern would miss the names that begin with a dot.
    sync "$partial/$name.dump" || fail "the dump of database $name did not reach the disk."
    count=$((count + 1))
done <"$partial/.names"

finish() {
    rm "$partial/.names" &&
        printf 'host=%s\nport=%s\nversion=%s\ndatabases=%s\n' \
            "${PGHOST:-}" "${PGPORT:-}" "$version" "$count" >"$partial/server" &&
        sync "$partial/roles.sql" "$partial/server" "$partial" &&
        mv "$partial" "$target" &&
        sync "$location"
}
finish || fail "the backup could not be finished; the reason is above."
size=$(du -sh "$target" | cut -f1)

# Names sort by time; only what has such a name is ever removed.
removed=0
# shellcheck disable=SC2012
for old in $(cd "$location" && ls -d -- 20??-??-??T??-??-??Z | sort | head -n "-$keep"); do
    rm -rf "${location:?}/$old"
    removed=$((removed + 1))
done
echo "backed up $count databases and all roles to $target ($size); removed $removed older ones, keeping $keep"
