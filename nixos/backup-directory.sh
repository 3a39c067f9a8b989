#!/bin/sh
# Makes the directory of the backups, for postgres alone: backup-directory.sh PATH, as root.
#
# One that is there and belongs to somebody else stays as it is, and there is no backup.
set -eu

if [ ! -e "$1" ]; then
    install -d -m 0700 -o postgres -g postgres "$1"
elif [ ! -d "$1" ] || [ "$(stat -c %U "$1")" != postgres ]; then
    echo "$1 is there already and is no directory of postgres, so nothing was dumped. Name a directory that backups can have for themselves, $1/pgmcp for example." >&2
    exit 1
fi
