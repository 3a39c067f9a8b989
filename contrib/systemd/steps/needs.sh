# shellcheck shell=sh
# What has to be there before anything is changed.

require_root() {
    [ "$(id -u)" = 0 ] || fail "needs root, because it writes units and PostgreSQL's configuration. Run: sudo $0"
}

require_programs() {
    say "Looking for what pgmcp stands on"
    missing=''
    command -v python3 >/dev/null || missing="$missing python3"
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    [ -n "$remote" ] || command -v psql >/dev/null || missing="$missing postgresql"
    command -v jq >/dev/null || missing="$missing jq"
    # Without it PostgreSQL does not know the name of the gateway's user, which exists only while it runs.
    grep -qE '^passwd:.*\bsystemd\b' /etc/nsswitch.conf 2>/dev/null || missing="$missing libnss-systemd"
    [ -z "$missing" ] || fail "not installed:$missing. Run: apt-get install$missing"
    [ -d /run/systemd/system ] || fail "systemd does not run this machine. Start the gateway by hand: README.md, \"On your own PostgreSQL\"."
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$(python3 --version) is too old; pgmcp needs 3.11 or newer. Debian 12 and Raspberry Pi OS of 2023 have it."
    [ -z "$remote" ] || [ -e "$config" ] ||
        fail "$config is not there, and with --remote nobody else knows where PostgreSQL is. Write it: docs/operations.md, \"PostgreSQL on another machine\"."
    [ -z "$remote" ] || [ -s "$password" ] ||
        fail "$password is not there or empty, and the gateway takes PostgreSQL's password from it. Write it, root's and mode 0600: docs/operations.md, \"PostgreSQL on another machine\"."
    [ -z "$remote" ] || [ -z "$backup" ] ||
        fail "--backup dumps the PostgreSQL of this machine. Back a remote one up where it runs, or leave --remote out."
    python3 -c 'import struct, sys; sys.exit(struct.calcsize("P") != 8)' ||
        fail "this is a 32-bit system, for which PostgreSQL's parser is not built. Install the 64-bit Raspberry Pi OS or Debian."
}

# Asks the server of $port as its superuser.
ask() {
    runuser -u postgres -- env PGHOST=/run/postgresql PGPORT="$port" \
        psql --no-psqlrc --no-password --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname postgres --command "$1"
}

require_postgresql() {
    version=$(ask 'SHOW server_version_num') ||
        fail "PostgreSQL does not answer at /run/postgresql port $port; its words are above. Look: pg_lsclusters. Start it, or name its port: --port."
    [ "$version" -ge 150000 ] || fail "PostgreSQL $(ask 'SHOW server_version') is too old. pgmcp needs 15 or newer."
    note "PostgreSQL $(ask 'SHOW server_version') at port $port, $(python3 --version)"
}
