# The example's host evaluates on the machine that checks, and would be built: every option it sets
# exists in this nixpkgs, and no assertion of it or of ours fails.
{
  self,
  pkgs,
  lib,
  ...
}:
let
  host = self.nixosConfigurations.example-pi.config;
  failed = lib.concatMapStrings (one: "${one.message}\n") (
    lib.filter (one: !one.assertion) host.assertions
  );
  # Drops what the text depends on: an x86 machine would have to build the Pi's programs for it.
  unit = builtins.unsafeDiscardStringContext host.systemd.units."pgmcp.service".text;
  system = builtins.unsafeDiscardStringContext host.system.build.toplevel.drvPath;
in
pkgs.runCommand "pgmcp-module"
  {
    inherit failed unit system;
    passAsFile = [ "unit" ];
  }
  ''
    if [ -n "$failed" ]; then
      printf 'nixosConfigurations.example-pi fails its assertions:\n%s' "$failed" >&2
      exit 1
    fi
    echo "evaluated: $system"
    cp "$unitPath" "$out"
  ''
