# shellcheck shell=sh
# PostgreSQL: the roles' way in by peer authentication, and pg_stat_statements.
# Every file that is changed keeps a copy beside it, FILE.before-pgmcp: as it was before the first change.

begin='# pgmcp: begin. Written by contrib/systemd/install, which also removes it.'
end='# pgmcp: end'

# with_block FILE FRAGMENT: prints FILE with our lines first, or without them where FRAGMENT is empty.
# The first line of pg_hba.conf that fits a connection decides, so ours must come before the others.
with_block() {
    if [ -n "$2" ]; then
        echo "$begin"
        cat "$2"
        echo "$end"
    fi
    awk -v begin="$begin" -v end="$end" '$0 == begin { ours = 1 } !ours { print } $0 == end { ours = 0 }' "$1"
}

# write_block FILE FRAGMENT: puts our lines into FILE; status 1 where they are there already.
write_block() {
    if grep -qxF "$begin" "$1" && ! grep -qxF "$end" "$1"; then
        fail "$1 has our first line, but not the last: $end. Put it back below our lines, or remove ours, and run this again."
    fi
    fresh=$(mktemp)
    with_block "$1" "$2" >"$fresh"
    if cmp -s "$fresh" "$1"; then
        rm "$fresh"
        return 1
    fi
    if [ -n "$dry" ]; then
        note "would change $1"
    else
        [ -z "$2" ] || [ -e "$1.before-pgmcp" ] || cp -p "$1" "$1.before-pgmcp" ||
            fail "there is no room for a copy of $1. Make some and run this again."
        cp -p "$1" "$undo/${1##*/}" || fail "there is no room for a copy of $1. Make some and run this again."
        # Into the file as it is, so that owner, mode and links stay.
        cat "$fresh" >"$1" || fail "$1 could not be written. As it was: $undo/${1##*/}."
        rewritten="$rewritten $1"
        note "changed $1"
    fi
    rm "$fresh"
}

# Removes the copy of before where it says nothing that the file does not say.
remove_copy() {
    [ -z "$dry" ] && [ -e "$1.before-pgmcp" ] || return 0
    if cmp -s "$1" "$1.before-pgmcp"; then
        rm "$1.before-pgmcp"
    else
        note "$1.before-pgmcp stays, because others have changed the file since"
    fi
}

restore() {
    for file in $rewritten; do
        cat "$undo/${file##*/}" >"$file"
        # The next run takes its copy of what is there then.
        ! cmp -s "$file" "$file.before-pgmcp" || rm "$file.before-pgmcp"
    done
}

let_roles_in() {
    say "Letting the gateway's roles in by peer authentication"
    hba=$(ask 'SHOW hba_file')
    ident=$(ask 'SHOW ident_file')
    is_new='' rewritten='' undo=$(mktemp -d)
    ! write_block "$ident" "$here/pg_ident.conf" || is_new=yes
    ! write_block "$hba" "$here/pg_hba.conf" || is_new=yes
    [ -n "$is_new" ] || note "they are"
    if [ -z "$is_new" ] || [ -n "$dry" ]; then
        rm -r "$undo"
        return 0
    fi
    wrong=$(ask "SELECT 'pg_hba.conf line ' || line_number || ': ' || error FROM pg_hba_file_rules WHERE error IS NOT NULL
                 UNION ALL
                 SELECT 'pg_ident.conf line ' || line_number || ': ' || error FROM pg_ident_file_mappings WHERE error IS NOT NULL")
    if [ -n "$wrong" ]; then
        restore
        rm -r "$undo"
        fail "PostgreSQL does not take the new lines, so both files are as they were: $wrong. Mend that line and run this again."
    fi
    rm -r "$undo"
    ask 'SELECT pg_reload_conf()' >/dev/null
}

statistics_file() {
    echo "$(dirname "$(ask 'SHOW config_file')")/conf.d/pgmcp.conf"
}

# For pg_monitor action=slow_queries; the gateway works without it.
load_statistics() {
    say "Loading pg_stat_statements"
    loaded=$(ask 'SHOW shared_preload_libraries')
    case ",$(echo "$loaded" | tr -d ' ')," in *,pg_stat_statements,*) note "it is loaded" && return 0 ;; esac
    file=$(statistics_file)
    if [ ! -d "$(dirname "$file")" ]; then
        note "$(dirname "$file") is not there. Add by hand: shared_preload_libraries = '${loaded:+$loaded,}pg_stat_statements'"
        return 0
    fi
    # A library that is not there would keep PostgreSQL from starting.
    if [ "$(ask "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'")" = 0 ]; then
        note "it is not installed; on Debian it comes with postgresql"
        return 0
    fi
    fresh=$(mktemp)
    echo "shared_preload_libraries = '${loaded:+$loaded,}pg_stat_statements'" >"$fresh"
    put "$fresh" "$file" 644
    rm "$fresh"
    if [ -n "$may_restart" ]; then
        run systemctl restart postgresql.service
    else
        note "it counts from PostgreSQL's next start. When that suits you: systemctl restart postgresql"
    fi
}

forget_in_postgresql() {
    say "Taking our lines out of PostgreSQL's configuration, port $port"
    if ! hba=$(ask 'SHOW hba_file'); then
        note "PostgreSQL does not answer at port $port, so they stay in its pg_hba.conf, pg_ident.conf and conf.d/pgmcp.conf."
        note "Start it and run this again, or take them out by hand"
        stayed=yes
        return 0
    fi
    rewritten='' undo=$(mktemp -d)
    for file in "$hba" "$(ask 'SHOW ident_file')"; do
        write_block "$file" '' || true
        remove_copy "$file"
    done
    rm -r "$undo"
    run rm -f "$(statistics_file)"
    [ -n "$dry" ] || ask 'SELECT pg_reload_conf()' >/dev/null
}
