#!/bin/sh
# Names the credentials that cannot be handed over, in one line each: credentials.sh NAME:FILE ...
#
# For ExecCondition=, which runs before systemd reads them: status 255 is a failure there, tried
# again by Restart=; a smaller one would pass for "not wanted".
set -eu

status=0
for credential in "$@"; do
    file=${credential#*:}
    if [ ! -f "$file" ]; then
        echo "credential ${credential%%:*} is missing: there is no file $file. Put it there, or correct its path in the configuration; this is tried again by itself." >&2
        status=255
    fi
done
exit "$status"
