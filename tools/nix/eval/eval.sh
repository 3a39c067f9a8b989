#!/usr/bin/env bash
# eval.sh FLAKE_DIR - evaluate the flake's NixOS module without nixpkgs, print the result as JSON:
# failed assertions, warnings, unit texts, serviceConfig, PostgreSQL settings, firewall, secrets.
#
#   NIXPKGS_LIB=DIR   (required) a checkout of nix-community/nixpkgs.lib
#   AGENIX=DIR        a checkout of ryantm/agenix: its real module, else a stand-in for its options
#   NIXOS_TREE=DIR    a nixpkgs tree with nixos/: NixOS' own modules instead of the typed stubs.
#                     NIXPKGS_LIB must then be about as old as the tree. A whole nixpkgs, which has
#                     pkgs/ too, serves with its own packages; what units name is then not built.
#
#   MODULE=FILE   the module, from FLAKE_DIR on (nixos/default.nix, else nixos/module.nix); a
#                 function from the flake to a module is called with a stand-in for the flake
#   CONFIG=FILE   a module that configures it; without it: { services.pgmcp.enable = true; }
#   STUBS=FILE    a module declaring options the stubs lack
#   NAMES="a b"   packages that the stand-in for pkgs lacks
#   PACKAGE=PATH  what the gateway's package is at (/opt/pgmcp), so PACKAGE/bin/pgmcp runs
#   UNITS=REGEX   the units to show (all with stubs; (pgmcp|postgresql|tailscale|agenix).* with NixOS)
#   PAYLOAD=DIR   also write the units and the generated files they name under DIR, for boot.sh
#   NIX_SYSTEM    aarch64-linux and the like, else this machine's
#
#   NIXPKGS_LIB=../nixpkgs.lib ./eval.sh ~/pgmcp | jq -r '.units["pgmcp.service"]'
#
# Exit status: 0, 1 when the evaluation fails, 3 when an assertion fails. Needs nix (get-nix.sh), jq.
set -euo pipefail

die() { echo "eval.sh: $*" >&2; exit 1; }
[ $# = 1 ] && [ -d "$1" ] || { sed -n '2,24s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd -P)
flake=$(cd "$1" && pwd -P)
abs() { [ -e "$1" ] || die "no $1"; realpath "$1"; }

[ -f "${NIXPKGS_LIB:?a checkout of nix-community/nixpkgs.lib}/lib/default.nix" ] || die "no lib/ in $NIXPKGS_LIB"
[ -z "${AGENIX:-}" ] || [ -f "$AGENIX/modules/age.nix" ] || die "no modules/age.nix in $AGENIX"
[ -z "${NIXOS_TREE:-}" ] || [ -f "$NIXOS_TREE/nixos/lib/eval-config.nix" ] || die "no nixos/ in $NIXOS_TREE"
module=${MODULE:-nixos/default.nix}
[ -n "${MODULE:-}" ] || [ -e "$flake/$module" ] || module=nixos/module.nix

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
config=$tmp/config.nix
echo '{ services.pgmcp.enable = true; }' >"$config"
[ -z "${CONFIG:-}" ] || config=$(abs "$CONFIG")
printf '%s\n' ${NAMES:-} >"$tmp/names"
units=${UNITS:-.*}
if [ -n "${NIXOS_TREE:-}" ]; then
  units=${UNITS:-'(pgmcp|postgresql|tailscale|agenix).*'}
  # every name that may be a package: pkgs.x, mkPackageOption pkgs "x", and whatever
  # stands in a file with "with pkgs" or "inherit (pkgs)"
  {
    grep -rhoE "pkgs(\.| \"| \[ \")[A-Za-z_][A-Za-z0-9_'-]*" --include='*.nix' "$NIXOS_TREE/nixos/modules" | sed -E 's/^pkgs(\.| "| \[ ")//'
    grep -rlZE 'with pkgs;|inherit \(pkgs\)' --include='*.nix' "$NIXOS_TREE/nixos/modules" | xargs -0 cat | grep -oE "[A-Za-z_][A-Za-z0-9_'-]*"
  } | sort -u >>"$tmp/names"
fi

args=(
  --arg lib "$(abs "$NIXPKGS_LIB")" --argstr module "$(abs "$flake/$module")" --argstr config "$config"
  --argstr units "$units" --argstr names "$tmp/names" --argstr package "${PACKAGE:-/opt/pgmcp}"
  --argstr system "${NIX_SYSTEM:-$(nix-instantiate --eval -E builtins.currentSystem | tr -d '"')}"
)
[ -z "${STUBS:-}" ] || args+=(--argstr stubs "$(abs "$STUBS")")
[ -z "${AGENIX:-}" ] || args+=(--argstr agenix "$(abs "$AGENIX")")
[ -z "${NIXOS_TREE:-}" ] || args+=(--argstr tree "$(abs "$NIXOS_TREE")")

nix-instantiate --eval --strict --json --read-write-mode "${args[@]}" -A report "$here/eval.nix" >"$tmp/report.json" || exit 1

if [ -n "${PAYLOAD:-}" ]; then
  mkdir -p "$PAYLOAD/etc/systemd/system"
  while read -r unit; do
    # without PATH and the like that name made-up packages: the booted tree has its own
    jq -rj --arg u "$unit" '.units[$u]' "$tmp/report.json" |
      sed '/^Environment=.*\/nix\/store\/0\{32\}-/d' >"$PAYLOAD/etc/systemd/system/$unit"
  done < <(jq -r '.units | keys[]' "$tmp/report.json")
  refs=$(nix-instantiate --eval --json --read-write-mode "${args[@]}" -A refs.outPath "$here/eval.nix" | jq -r .)
  nix --extra-experimental-features nix-command copy --no-check-sigs --to "local?root=$(realpath "$PAYLOAD")" "$refs"
fi

jq . "$tmp/report.json"
[ "$(jq '.assertions.failed | length' "$tmp/report.json")" = 0 ] || exit 3
