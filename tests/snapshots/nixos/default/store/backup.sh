#!/bin/sh
# Dumps every database and the roles into a directory of their own, and keeps the last few.
#
# PGMCP_BACKUP_LOCATION=/var/backup/pgmcp  PGMCP_BACKUP_KEEP=7   and libpq's variables
#
# LOCATION/2026-11-23T03-15-00Z/{roles.sql,NAME.dump…}: roles.sql for psql, the rest for pg_restore.
# A backup has its name only when it is whole; the oldest go only after that.
set -eu
umask 077

location=$PGMCP_BACKUP_LOCATION
keep=$PGMCP_BACKUP_KEEP
partial=$location/.partial
target=$location/$(date -u +%Y-%m-%dT%H-%M-%SZ)

fail() {
    echo "$1 Nothing was removed; the backups before this one are in $location." >&2
    exit 1
}

if [ ! -d "$location" ] || [ ! -w "$location" ]; then
    fail "cannot write to $location."
fi
rm -rf "$partial"
mkdir "$partial"

ask() {
    psql --no-psqlrc --no-password --tuples-only --no-align --set ON_ERROR_STOP=1 \
        --dbname postgres --command "$1"
}

databases="FROM pg_catalog.pg_database WHERE datallowconn AND datname <> 'template0'"
strange=$(ask "SELECT count(*) $databases AND datname ~ '[/[:cntrl:]]'") ||
    fail "PostgreSQL does not answer. See: systemctl status postgresql."
[ "$strange" = 0 ] ||
    fail "the name of a database has a slash or a control character, which no file can have. Rename it: ALTER DATABASE … RENAME TO …."
ask "SELECT datname $databases ORDER BY datname" >"$partial/.names"

pg_dumpall --no-password --globals-only --file "$partial/roles.sql" || fail "pg_dumpall failed; its message is above."
count=0
while IFS= read -r name; do
    # By the environment: as an argument a name with = in it would be a connection string.
    PGDATABASE=$name pg_dump --no-password --format custom --file "$partial/$name.dump" ||
        fail "pg_dump of database $name failed; its message is above."
    # Reading the table of contents back finds a truncated file.
    pg_restore --list "$partial/$name.dump" >/dev/null || fail "the dump of database $name cannot be read back."
    count=$((count + 1))
done <"$partial/.names"
rm "$partial/.names"

sync "$partial"/* "$partial"
mv "$partial" "$target"
sync "$location"
size=$(du -sh "$target" | cut -f1)

# Names sort by time; only what has such a name is ever removed.
removed=0
# shellcheck disable=SC2012
for old in $(cd "$location" && ls -d -- 20??-??-??T??-??-??Z | sort | head -n "-$keep"); do
    rm -rf "${location:?}/$old"
    removed=$((removed + 1))
done
echo "backed up $count databases and all roles to $target ($size); removed $removed older ones, keeping $keep"
