#!/bin/sh
# Makes .venv, or brings it up to date: venv.sh serve | test. venv.sh oldest does so for .venv-oldest.
# Needs python3 with venv, nothing else. A half-made one is made anew; a current one costs milliseconds.
set -eu

level=$1
cd "$(dirname "$0")/.."
venv=.venv
locks="requirements/build.txt requirements/serve.txt"
case $level in
serve) ;;
test) locks="$locks requirements/test.txt" ;;
oldest)
    venv=.venv-oldest
    locks="requirements/build.txt requirements/oldest.txt"
    ;;
esac
stamp=$venv/$level.stamp
version='import sys; print("%d.%d" % sys.version_info[:2])'

fail() {
    echo "make: $1" >&2
    exit 1
}

find_python() {
    python=${PYTHON:-python3}
    if ! command -v "$python" >/dev/null 2>&1; then
        fail "$python: not found. Install it: apt install python3 python3-venv (or set PYTHON to a Python of 3.11 or newer)."
    fi
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$python is Python $("$python" -c "$version"). pgmcp needs 3.11 or newer: install one and name it, for example PYTHON=python3.12 make."
}

require_venv() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python has no venv module. Install it: apt install python$("$python" -c "$version")-venv (elsewhere: python3-venv)."
}

is_whole() {
    [ -e $venv/made ] && [ ! -e $venv/installing ] && $venv/bin/python -m pip --version >/dev/null 2>&1
}

has_other_version() {
    [ -n "${PYTHON:-}" ] && [ "$("$python" -c "$version")" != "$($venv/bin/python -c "$version")" ]
}

# Content decides, not time: a checkout changes times, and a moved directory breaks what is installed.
# shellcheck disable=SC2086
expected=$(
    pwd -P
    cat $locks pyproject.toml tools/venv.sh | cksum
)

is_current() {
    [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$expected" ] && [ ! -e $venv/installing ] &&
        $venv/bin/python -c '' 2>/dev/null && ! has_other_version
}

wait_message="Another make installs requirements; waiting for it."

# The lock of flock is on this directory itself and ends with the process; it leaves no file.
lock_by_flock() {
    command -v flock >/dev/null 2>&1 || return 1
    exec 9<.
    flock -n 9 || {
        echo "$wait_message"
        flock 9
    }
}

# Without flock: a link is made at once or not at all, and names its owner from the first moment.
lock_by_link() {
    told=
    mkdir -p build || fail "this directory is not writable. Run make as the user who owns it."
    until ln -s "$$" build/venv-owner 2>/dev/null; do
        owner=$(readlink build/venv-owner || true)
        [ -w build ] || fail "build belongs to another user. Run make as that user."
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
            remove_stale_link "$owner"
            continue
        fi
        [ -n "$told" ] || echo "$wait_message (process ${owner:-unknown})"
        told=yes
        sleep 1
    done
    trap 'rm -f build/venv-owner' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
}

# Of several that wait only one removes it, and only while it still names the dead one.
remove_stale_link() {
    if mkdir build/venv-stale 2>/dev/null; then
        [ "$(readlink build/venv-owner || true)" != "$1" ] || rm -f build/venv-owner
        rmdir build/venv-stale
    else
        sleep 1
    fi
}

[ -z "${PYTHON:-}" ] || find_python
if is_current; then
    exit 0
fi

# One at a time, or the second would empty what the first installs; then look again.
lock_by_flock || lock_by_link
if is_current; then
    exit 0
fi

find_python
if [ -e $venv ] && [ ! -w $venv ]; then
    fail "$venv belongs to another user. Run make as that user, or remove $venv."
fi
if ! is_whole || has_other_version; then
    require_venv
    echo "Making $venv with $("$python" --version)."
    "$python" -m venv --clear $venv || fail "$python -m venv could not make $venv; its message is above."
    touch $venv/made
fi

echo "Installing the locked requirements ($level); the first time takes about a minute."
touch $venv/installing
arguments=
for lock in $locks; do
    arguments="$arguments --requirement $lock"
done
# shellcheck disable=SC2086
$venv/bin/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --require-hashes --only-binary :all: $arguments
# The build backend is in the lock, so nothing is fetched here.
$venv/bin/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --no-index --no-deps --no-build-isolation --editable .
rm $venv/installing
echo "$expected" >"$stamp"
