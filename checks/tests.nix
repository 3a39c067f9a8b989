# The package, tested by everything that can run on what nixpkgs has.
{ self, pkgs, ... }:
self.packages.${pkgs.stdenv.hostPlatform.system}.pgmcp.override { wholeSuite = true; }
