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

# printf everywhere, because echo of some shells turns a \n inside JSON or a message into a line end.
fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# Prints what a program said as one line, or that it said nothing.
in_one_line() {
    line=$(printf '%s' "$1" | tr -s '[:space:]' ' ')
    line=${line# }
    line=${line% }
    line=${line%.}
    printf '%s' "${line:-it said nothing; see journalctl -u tailscaled}"
}

# Asks the JSON $1 with jq. No JSON is a failure, and so is nothing, of which jq would say nothing.
ask() {
    json=$1 question=$2
    shift 2
    printf '%s\n' "$json" |
        jq -sr "$@" "if length == 1 then .[0] else error end | $question" 2>/dev/null
}

unreadable() {
    fail "tailscale $1 --json printed nothing that can be read, so nothing was changed. See what it prints, and update tailscale, or restart it: systemctl restart tailscaled. This is tried again by itself."
}

# tailscaled's own word on the login; the command alone would wait for a person's click.
require_login() {
    status=$(timeout -k 5 10 tailscale status --json --peers=false 2>/dev/null) ||
        fail "tailscaled does not answer. Start it: systemctl start tailscaled. This is tried again by itself."
    state=$(ask "$status" '.BackendState // "unknown"') || unreadable status
    case $state in
        Running) ;;
        Starting | NoState)
            fail "tailscale is still starting (its state is $state). Wait; if it stays so, see journalctl -u tailscaled. This is tried again by itself."
            ;;
        NeedsMachineAuth)
            fail "this machine is not approved in the tailnet (its state is $state). Let an admin approve it in the admin console, under Machines. This is tried again by itself."
            ;;
        *) fail "tailscale is not logged in (its state is $state). Run: tailscale up. This is tried again by itself." ;;
    esac
    name=$(ask "$status" '.Self.DNSName // "" | rtrimstr(".")') || unreadable status
    [ -n "$name" ] ||
        fail "this machine has no name in the tailnet. Switch MagicDNS on in the admin console, under DNS. This is tried again by itself."
}

require_certificates() {
    [ "$scheme" = https ] || return 0
    domains=$(ask "$status" '.CertDomains // [] | length') || unreadable status
    [ "$domains" != 0 ] ||
        fail "HTTPS certificates are not enabled for this tailnet. Enable them in the admin console, under DNS, or serve plain HTTP inside the tailnet (services.pgmcp.tailscale.serve.https = false; without NixOS PGMCP_SERVE_SCHEME=http). This is tried again by itself."
}

# Prints what answers at / of the port: ours, "outdated KIND", "other KIND", or none; KIND is the flag
# of tailscale serve that it was put up with. "ours" compares everything that we set.
# Fails where that cannot be known: somebody else's may be there.
served() {
    config=$(timeout -k 5 10 tailscale serve status --json 2>/dev/null) || return 1
    # shellcheck disable=SC2016 # the variables are those of jq
    ask "$config" '
        (.Web[$at].Handlers["/"] // null) as $handler
        | (.TCP[$port] // {}) as $tcp
        | (if $tcp.TCPForward then (if $tcp.TerminateTLS then "tls-terminated-tcp" else "tcp" end)
           elif $tcp.HTTP then "http"
           else "https" end) as $kind
        | if $handler == null then
            (if $tcp.TCPForward then "other \($kind)" else "none" end)
          elif $handler.Proxy != $target then "other \($kind)"
          elif $tcp[$scheme | ascii_upcase] == true
            and (($handler.AcceptAppCaps // []) | sort) == ($capabilities | split(",") | sort)
            and (.AllowFunnel[$at] // false | not)
          then "ours"
          else "outdated \($kind)" end' \
        --arg at "$name:$port" --arg port "$port" --arg target "$target" \
        --arg scheme "$scheme" --arg capabilities "$capabilities"
}

# Prints the flags that take off what is at / of the port, and of a web server nothing else.
flags_of() {
    case $1 in
        *tcp) printf '%s' "--$1=$port" ;;
        *) printf '%s' "--$1=$port --set-path=/" ;;
    esac
}

apply() {
    command -v jq >/dev/null || fail "jq is not installed. Install it, on Debian: apt install jq. This is tried again by itself."
    require_login
    require_certificates
    found=$(served) || unreadable "serve status"
    case $found in
        ours) return 0 ;;
        none) ;;
        "outdated "*) timeout -k 5 30 tailscale serve "--${found#* }=$port" --set-path=/ off >/dev/null 2>&1 || true ;;
        "other "*)
            fail "tailscale serve already answers at port $port of $name with something else. Take that off (tailscale serve $(flags_of "${found#* }") off), or choose another port (services.pgmcp.tailscale.serve.port; without NixOS PGMCP_SERVE_PORT). This is tried again by itself."
            ;;
        *) unreadable "serve status" ;;
    esac
    set -- --bg --yes "--$scheme=$port"
    [ -z "$capabilities" ] || set -- "$@" "--accept-app-caps=$capabilities"
    # serve, never funnel: it also switches a Funnel of this port off.
    said=$(timeout -k 5 30 tailscale serve "$@" "$target" 2>&1 </dev/null) ||
        fail "tailscale serve failed: $(in_one_line "$said"). This is tried again by itself."
    found=$(served) || found=unknown
    [ "$found" = ours ] ||
        fail "tailscale serve did not take the configuration: $(in_one_line "$said"). See tailscale serve status. This is tried again by itself."
    suffix=":$port"
    case $scheme:$port in https:443 | http:80) suffix= ;; esac
    printf '%s\n' "clients reach pgmcp at $scheme://$name$suffix/mcp"
}

# Taking down must not fail: without tailscaled, or without a login, nothing is served.
undo() {
    status=$(timeout -k 5 10 tailscale status --json --peers=false 2>/dev/null) || return 0
    if ! name=$(ask "$status" '.Self.DNSName // "" | rtrimstr(".")'); then
        found=unknown
    elif [ -n "$name" ]; then
        found=$(served) || found=unknown
    else
        found=none
    fi
    if [ "$found" = unknown ]; then
        printf '%s\n' "tailscale serve was left as it is: what it serves could not be read. See tailscale serve status, and take pgmcp off by hand: tailscale serve --$scheme=$port --set-path=/ off" >&2
        return 0
    fi
    case $found in
        ours) kind=$scheme ;;
        "outdated "*) kind=${found#* } ;;
        *) return 0 ;;
    esac
    timeout -k 5 30 tailscale serve --yes "--$kind=$port" --set-path=/ off >/dev/null 2>&1 ||
        printf '%s\n' "tailscale serve could not be taken off. Do it by hand: tailscale serve --$kind=$port --set-path=/ off" >&2
}

case ${1:-} in
    apply | undo) "$1" ;;
    *) fail "usage: tailscale-serve.sh apply | undo" ;;
esac
