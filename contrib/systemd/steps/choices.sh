# shellcheck shell=sh
# Where PostgreSQL is: chosen once, remembered in /etc/pgmcp/install.conf, so that an upgrade and the
# removal need no options. An option outranks what is remembered, and is remembered in its place.

choices=/etc/pgmcp/install.conf
password=/etc/pgmcp/database-password

# remembered NAME: the value in the file; nothing where there is none.
remembered() {
    sed -n "s/^$1=//p" "$choices" 2>/dev/null | tail -n 1
}

# Sets $port and $remote from the options, else from the file; $former is the local server of before.
choose() {
    former='' by="the default" known=$(remembered port)
    case $known in
        *[!0-9]*)
            [ -n "$port" ] || fail "$choices: port=$known is not a number. Correct it, or give --port."
            known=''
            ;;
    esac
    if [ -e "$choices" ]; then
        by="remembered in $choices"
        [ "$(remembered remote)" = yes ] || former=$known
    fi
    chosen="$where$port"
    [ -n "$where" ] || [ -n "$port" ] || where=$(remembered remote | sed -n 's/^yes$/--remote/p')
    [ "$where" != --remote ] || [ -z "$port" ] ||
        fail "--port and --remote exclude each other: the port of a server on another machine stands in $config. Leave one out."
    remote=''
    [ "$where" != --remote ] || remote=yes
    port=${port:-${known:-5432}}
    [ -z "$chosen" ] || by="chosen now"
    [ ! -e "$choices" ] || [ -n "$chosen" ] || say "As $by: ${remote:+--remote}$([ -n "$remote" ] || echo "--port $port")"
}

# Prints where the configuration says that PostgreSQL is: "local PORT" or "remote HOST". Nothing where
# it is not there or cannot be read; `pgmcp check` has better words for that.
configured() {
    python3 - "$config" <<'PYTHON' 2>/dev/null || true
import sys, tomllib
with open(sys.argv[1], "rb") as file:
    server = tomllib.load(file).get("server", {})
host = str(server.get("host", "localhost"))
print(f"local {server.get('port', 5432)}" if host.startswith("/") else f"remote {host}")
PYTHON
}

# Before anything is changed: two that disagree would set up a PostgreSQL that the gateway never asks.
require_agreement() {
    said=$(configured)
    case ${remote:-no}:$said in
        no:remote\ *) fail "$config has PostgreSQL at ${said#remote }, but this run is for the one of this machine at port $port ($by). Run: $0 --remote, or correct [server] host there." ;;
        yes:local\ *) fail "$config has PostgreSQL on this machine at port ${said#local }, but this run is for another machine's ($by). Run: $0 --port ${said#local }, or correct [server] host there." ;;
        no:local\ "$port" | yes:remote\ * | *:) ;;
        *) fail "$config has PostgreSQL at port ${said#local }, but this run is for port $port ($by). Run: $0 --port ${said#local }, or correct [server] port there." ;;
    esac
}

# Renamed into place, so that no run finds half of it.
remember_choices() {
    text="# Chosen by the options of contrib/systemd/install; the next run goes by it.
port=$port
remote=${remote:-no}"
    [ "$(cat "$choices" 2>/dev/null)" != "$text" ] || return 0
    if [ -n "$dry" ]; then
        note "would write $choices"
        return 0
    fi
    mkdir -p "${choices%/*}"
    echo "$text" >"$choices.new"
    chmod 644 "$choices.new"
    mv "$choices.new" "$choices"
    note "wrote $choices; the next run needs no ${remote:+--remote}$([ -n "$remote" ] || echo "--port")"
}

# Our lines are in one PostgreSQL at most: a choice that has changed takes them out of the former one.
leave_former() {
    [ -n "$former" ] || return 0
    [ -n "$remote" ] || [ "$former" != "$port" ] || return 0
    (port=$former && forget_in_postgresql)
}
