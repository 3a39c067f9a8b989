# The page of options says what the module says. The pages of tools and settings are made by Python,
# so the tests of the package hold those.
{ self, pkgs, ... }:
let
  inherit (self.packages.${pkgs.stdenv.hostPlatform.system}) docs;
in
pkgs.runCommand "pgmcp-documentation" { } ''
  if ! diff -u ${../docs/options.md} ${docs}/options.md; then
    echo 'docs/options.md is not what the options say. Run make nix-snapshots.' >&2
    exit 1
  fi
  touch "$out"
''
