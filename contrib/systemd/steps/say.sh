# shellcheck shell=sh
# How every step says what it does, and does nothing with --dry-run.

config=/etc/pgmcp/pgmcp.toml
library=/usr/local/lib/pgmcp
# What was written and is not in use yet, by its path: a run that failed leaves it to the next.
pending=/opt/pgmcp/.pending
changed=$(cat "$pending" 2>/dev/null || true)

fail() {
    echo "install: $1" >&2
    exit 1
}

say() {
    echo "==> $1"
}

note() {
    echo "    $1"
}

# Runs a command, or only shows it.
run() {
    if [ -n "$dry" ]; then
        note "would run: $*"
    else
        "$@"
    fi
}

# Says that the gateway has to be started anew for it.
mark() {
    changed="$changed $1"
    if [ -z "$dry" ]; then
        mkdir -p "${pending%/*}"
        echo "$1" >>"$pending"
    fi
}

# put SOURCE TARGET MODE: copies a file unless it is there already.
put() {
    if [ -e "$2" ] && cmp -s "$1" "$2"; then
        return 0
    fi
    mark "$2"
    if [ -n "$dry" ]; then
        note "would write $2"
    else
        install -D -m "$3" "$1" "$2"
        note "wrote $2"
    fi
}

has_changed() {
    case $changed in *"$1"*) return 0 ;; esac
    return 1
}
