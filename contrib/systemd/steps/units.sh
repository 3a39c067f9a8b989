# shellcheck shell=sh
# The units, their scripts and the configuration. Yours in /etc/systemd/system outrank them.

system=/usr/local/lib/systemd/system
sockets='pgmcp.socket pgmcp-local.socket'

install_files() {
    say "Writing the units"
    scratch=$(mktemp -d)
    for unit in "$here"/*.service "$here"/*.socket "$here"/*.timer; do
        sed "s/PGPORT=5432/PGPORT=$port/" "$unit" >"$scratch/unit"
        put "$scratch/unit" "$system/${unit##*/}" 644
    done
    rm -r "$scratch"
    for unit in pgmcp pgmcp-provision; do
        if [ -n "$remote" ]; then
            put "$here/remote/$unit.conf" "$system/$unit.service.d/remote.conf" 644
        elif [ -e "$system/$unit.service.d/remote.conf" ]; then
            mark "$unit"
            run rm -r "$system/$unit.service.d"
        fi
    done
    put "$checkout/nixos/tailscale-serve.sh" "$library/tailscale-serve.sh" 755
    put "$checkout/nixos/credentials.sh" "$library/credentials.sh" 755
    put "$checkout/nixos/backup.sh" "$library/backup.sh" 755
    put "$checkout/nixos/backup-directory.sh" "$library/backup-directory.sh" 755
    put "$checkout/nixos/example/restore.sh" "$library/restore.sh" 755
    put "$here/pgmcp.sysusers" /usr/local/lib/sysusers.d/pgmcp.conf 644
    run systemd-sysusers /usr/local/lib/sysusers.d/pgmcp.conf
}

write_configuration() {
    say "Looking at the configuration $config"
    if [ -e "$config" ]; then
        note "it is yours and stays as it is"
        [ -z "$who" ] || grep -qF "\"$who\"" "$config" ||
            note "--who $who changes nothing in it. Add a rule there: [[access]], who = \"$who\", permissions = \"admin\""
    else
        fresh=$(mktemp)
        sed -e "s/^port = \"5432\"/port = \"$port\"/" -e "s/^who = \"you@example.com\" /who = \"${who:-you@example.com}\" /" \
            "$here/pgmcp.toml" >"$fresh"
        put "$fresh" "$config" 644
        rm "$fresh"
    fi
    if [ -n "$dry" ]; then
        note "would check it: pgmcp check --config $config"
    else
        "$release/bin/pgmcp" check --config "$config" || fail "the configuration has the fault above. Mend $config and run this again."
    fi
}

start_units() {
    say "Starting"
    run systemctl daemon-reload
    # A running service holds its sockets, so a changed socket needs it gone for a moment.
    if has_changed .socket && [ -z "$dry" ]; then
        # shellcheck disable=SC2086
        systemctl stop pgmcp.service $sockets 2>/dev/null || true
    fi
    # shellcheck disable=SC2086
    run systemctl enable --quiet --now $sockets
    if [ -z "$remote" ]; then
        run systemctl enable --quiet pgmcp-provision.service
        run systemctl enable --quiet --now pgmcp-provision.timer
        run systemctl start pgmcp-provision.service ||
            fail "the login roles could not be made. Look: journalctl -u pgmcp-provision -n 20. Then run this again."
    fi
    run systemctl enable --quiet pgmcp.service
    if [ -n "$changed" ]; then
        # Calls made meanwhile wait in the sockets.
        run systemctl restart pgmcp.service || fail "the gateway does not start. Look: journalctl -u pgmcp -n 20. Then run this again."
    else
        run systemctl start pgmcp.service || fail "the gateway does not start. Look: journalctl -u pgmcp -n 20. Then run this again."
    fi
    run rm -f "$pending"
    [ -z "$backup" ] || run systemctl enable --quiet --now pgmcp-backup.timer
    if command -v tailscale >/dev/null; then
        # Not waited for: it goes on trying until somebody has logged in.
        run systemctl enable --quiet pgmcp-tailscale-serve.service pgmcp-tailscale-check.timer
        run systemctl restart --no-block pgmcp-tailscale-serve.service
    fi
}

say_what_next() {
    [ -z "$dry" ] || { say "Nothing was changed (--dry-run)" && return 0; }
    say "pgmcp $(readlink "$link" | sed "s|^$releases/||; s|/bin\$||") runs"
    if command -v tailscale >/dev/null; then
        note "on the tailnet: journalctl -u pgmcp-tailscale-serve -n 5 shows its address, or what is missing"
    else
        note "tailscale is not installed; when it is, run this again"
    fi
    ! grep -q '^who = "you@example.com"' "$config" ||
        note "nobody on the tailnet may call yet: put your login in place of you@example.com in $config, then: systemctl restart pgmcp"
    note "for people on this machine: usermod -aG pgmcp PERSON"
    if [ -n "$remote" ]; then
        # Passwords are handed over by systemd: without it doctor could not log in.
        note "what works and what is missing: systemd-run --quiet --pipe --wait -p DynamicUser=yes -p User=pgmcp-gateway \\"
        note "    -p 'StateDirectory=pgmcp pgmcp/backup' -p LoadCredential=database-password:$password \\"
        note "    $link/pgmcp doctor --config $config"
    else
        note "what works and what is missing: pgmcp doctor --config $config"
    fi
}

remove_units() {
    say "Stopping and removing the units"
    for unit in "$system"/pgmcp*; do
        [ -e "$unit" ] || continue
        # Stopping also takes the gateway off the tailnet.
        [ ! -f "$unit" ] || run systemctl disable --quiet --now "${unit##*/}"
        run rm -r "$unit"
    done
    # systemd leaves the files of sockets behind.
    run rm -f /usr/local/lib/sysusers.d/pgmcp.conf /run/pgmcp.sock /run/pgmcp-local.sock
    run systemctl daemon-reload
    run systemctl reset-failed 'pgmcp*' 2>/dev/null || true
}

say_what_stays() {
    # Where our lines stayed in PostgreSQL, the next attempt has to know where that is.
    [ -n "$stayed" ] || run rm -f "$choices"
    say "Removed. These stay, because they are yours:"
    note "/etc/pgmcp (configuration), /var/lib/pgmcp (backups of pg_admin), /var/backup/pgmcp (nightly backups), the group pgmcp,"
    note "the roles pgmcp_* in PostgreSQL; docs/operations.md says how to drop them"
    for file in /etc/systemd/system/pgmcp*; do
        [ ! -e "$file" ] || note "$file (your change to a unit)"
    done
}
