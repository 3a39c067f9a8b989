#!/usr/bin/env bash
# flake.sh - what can be said of the flake without nixpkgs and without a network: every .nix file
# parses, the lock is the one that belongs to the inputs, and every output evaluates for both
# systems with stand-ins for nixpkgs (tests/nixos/stub), down to the names of the wheels.
#
#   NIXPKGS_LIB=DIR   (required) a checkout of nix-community/nixpkgs.lib
#   AGENIX=DIR        a checkout of ryantm/agenix: its real module, else a stand-in for its options
#
# Says what it ran; exit status 1 when something is wrong. Needs nix, git and jq.
set -euo pipefail
cd "$(dirname "$0")/../.."

die() { echo "flake.sh: $*" >&2; exit 1; }
[ -f "${NIXPKGS_LIB:?a checkout of nix-community/nixpkgs.lib}/lib/default.nix" ] || die "no lib/ in $NIXPKGS_LIB"
command -v nix >/dev/null || die "nix is not on PATH; tools/nix/get-nix.sh DIR gets one"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy=$work/source stub=$work/stub agenix=$work/agenix
nix() { command nix --extra-experimental-features 'nix-command flakes' --offline "$@"; }
evaluated() { nix "$@" --no-write-lock-file --override-input nixpkgs "path:$stub" --override-input agenix "path:$agenix"; }

# The files as they are now, committed or not, and nothing that git ignores.
mkdir "$copy"
git ls-files --cached --others --exclude-standard -z | while IFS= read -r -d '' file; do
  [ ! -e "$file" ] || printf '%s\0' "$file"
done | tar --create --null --files-from=- | tar --extract --directory "$copy"

mkdir "$stub" "$agenix"
cp -r tests/nixos/stub/*.nix "$stub"
cp -r tools/nix/eval "$stub/eval"
cp -r "$NIXPKGS_LIB/lib" "$stub/lib"
cp "${AGENIX:+$AGENIX/modules/age.nix}" "$agenix/age.nix" 2>/dev/null || cp tools/nix/eval/age.nix "$agenix/age.nix"
echo '{ outputs = _: { nixosModules.default = ./age.nix; }; }' >"$agenix/flake.nix"

find "$copy" -name '*.nix' -print0 | xargs -0 -n1 nix-instantiate --parse >/dev/null
echo "parsed: $(find "$copy" -name '*.nix' | wc -l) files"

[ "$(wc -l <flake.nix)" -le 100 ] || die "flake.nix has more than 100 lines"

# A lock that disagrees with the inputs makes Nix fetch, which fails without a network.
if ! nix flake lock "path:$copy" || ! cmp flake.lock "$copy/flake.lock"; then
  die "flake.lock does not belong to the inputs of flake.nix: run nix flake lock with a network"
fi
echo "locked: flake.lock is what nix flake lock leaves"

evaluated flake check --no-build --all-systems "path:$copy" 2>"$work/check.log" || {
  cat "$work/check.log" >&2
  die "an output does not evaluate"
}
sed -nE "s/^checking (derivation|NixOS configuration|NixOS module) '?([^' ]+[^'. ]).*/evaluated: \2/p" "$work/check.log"

# shellcheck disable=SC2016 # what is in there is Nix'
for system in x86_64-linux aarch64-linux; do
  evaluated eval --json "path:$copy#packages.$system.pgmcp.wheels" \
    --apply 'wheels: map (wheel: "${wheel.src.url} ${wheel.src.hash}")
      (builtins.filter (wheel: wheel ? src) (builtins.attrValues wheels))' 2>/dev/null |
    jq -r '.[]' | sed "s/^/$system /"
done | LC_ALL=C sort >"$work/wheels.txt"
diff -u tests/nixos/stub/wheels.txt "$work/wheels.txt" ||
  die "the wheels are others than those of tests/nixos/stub/wheels.txt"
echo "wheels: $(wc -l <"$work/wheels.txt") addresses and hashes as expected"
echo "flake: evaluated with stand-ins for nixpkgs${AGENIX:+ and the real module of agenix}; what it would build was not built"
