#!/bin/sh
# Puts the gateway on the tailnet under this machine's own name, or takes it off again.
#
#   tailscale-serve.sh apply | undo
#
# PGMCP_SERVE_SCHEME=https|http  PGMCP_SERVE_PORT=443  PGMCP_SERVE_TARGET=unix:/run/pgmcp.sock
# PGMCP_SERVE_CAPABILITIES=a,b   grants that tailscaled hands over; may be empty
#
# Needs tailscale and jq. Changes nothing that is as it should be, and nothing of anybody else.
set -eu

scheme=$PGMCP_SERVE_SCHEME
port=$PGMCP_SERVE_PORT
target=$PGMCP_SERVE_TARGET
capabilities=${PGMCP_SERVE_CAPABILITIES:-}

fail() {
    echo "$1" >&2
    exit 1
}

# printf below, because echo of some shells turns the \n inside JSON's strings into line ends.
# tailscaled's own word on the login; the command alone would wait for a person's click.
require_login() {
    status=$(timeout 10 tailscale status --json --peers=false 2>/dev/null) ||
        fail "tailscaled does not answer. Start it: systemctl start tailscaled. This is tried again by itself."
    state=$(printf '%s\n' "$status" | jq -r '.BackendState // "unknown"')
    [ "$state" = Running ] ||
        fail "tailscale is not logged in (its state is $state). Run: tailscale up. This is tried again by itself."
    name=$(printf '%s\n' "$status" | jq -r '.Self.DNSName // "" | rtrimstr(".")')
    [ -n "$name" ] ||
        fail "this machine has no name in the tailnet. Switch MagicDNS on in the admin console, under DNS. This is tried again by itself."
}

require_certificates() {
    [ "$scheme" = https ] || return 0
    domains=$(printf '%s\n' "$status" | jq '.CertDomains // [] | length')
    [ "$domains" != 0 ] ||
        fail "HTTPS certificates are not enabled for this tailnet. Enable them in the admin console, under DNS, or serve plain HTTP inside the tailnet (services.pgmcp.tailscale.serve.https = false; without NixOS PGMCP_SERVE_SCHEME=http). This is tried again by itself."
}

# Prints what answers at / of the port: ours, other, or none. "ours" compares everything that we set.
served() {
    timeout 10 tailscale serve status --json | jq -r \
        --arg at "$name:$port" --arg port "$port" --arg target "$target" \
        --arg scheme "$scheme" --arg capabilities "$capabilities" '
        (.Web[$at].Handlers["/"] // null) as $handler
        | if $handler == null then
            (if .TCP[$port].TCPForward then "other" else "none" end)
          elif $handler.Proxy != $target then "other"
          elif .TCP[$port][$scheme | ascii_upcase] == true
            and (($handler.AcceptAppCaps // []) | sort) == ($capabilities | split(",") | sort)
            and (.AllowFunnel[$at] // false | not)
          then "ours"
          else "outdated" end'
}

refuse_foreign() {
    fail "tailscale serve already answers at port $port of $name with something else. Take that off (tailscale serve --https=$port off), or choose another port (services.pgmcp.tailscale.serve.port; without NixOS PGMCP_SERVE_PORT)."
}

apply() {
    require_login
    require_certificates
    case $(served) in
        ours) return 0 ;;
        other) refuse_foreign ;;
        outdated) timeout 30 tailscale serve "--$scheme=$port" --set-path=/ off >/dev/null 2>&1 || true ;;
    esac
    set -- --bg --yes "--$scheme=$port"
    [ -z "$capabilities" ] || set -- "$@" "--accept-app-caps=$capabilities"
    # serve, never funnel: it also switches a Funnel of this port off.
    said=$(timeout 30 tailscale serve "$@" "$target" 2>&1 </dev/null) ||
        fail "tailscale serve failed: $(printf '%s\n' "$said" | tr '\n' ' '). This is tried again by itself."
    [ "$(served)" = ours ] || fail "tailscale serve did not take the configuration: $(printf '%s\n' "$said" | tr '\n' ' ')"
    suffix=":$port"
    case $scheme:$port in https:443 | http:80) suffix= ;; esac
    echo "clients reach pgmcp at $scheme://$name$suffix/mcp"
}

# Taking down must not fail: without tailscaled, or without a login, nothing is served.
undo() {
    status=$(timeout 10 tailscale status --json --peers=false 2>/dev/null) || return 0
    name=$(printf '%s\n' "$status" | jq -r '.Self.DNSName // "" | rtrimstr(".")')
    case $(served) in
        ours | outdated)
            timeout 30 tailscale serve --yes "--$scheme=$port" --set-path=/ off >/dev/null 2>&1 ||
                echo "tailscale serve could not be taken off. Do it by hand: tailscale serve --$scheme=$port off" >&2
            ;;
    esac
}

case ${1:-} in
    apply | undo) "$1" ;;
    *) fail "usage: tailscale-serve.sh apply | undo" ;;
esac
