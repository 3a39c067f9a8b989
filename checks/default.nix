# What `nix flake check` builds: every other *.nix in this folder is one check, named like its file:
#
#     { self, pkgs, lib, agenix, ... }: derivation
#
# self is this flake, pkgs nixpkgs for the system that is checked, agenix the flake of that name.
# `./name.nix` files that several checks share belong in a folder below this one.
{
  self,
  pkgs,
  agenix,
}:
let
  inherit (pkgs) lib;
  isCheck = name: kind: kind == "regular" && lib.hasSuffix ".nix" name && name != "default.nix";
  files = lib.attrNames (lib.filterAttrs isCheck (builtins.readDir ./.));
  check = file: {
    name = lib.removeSuffix ".nix" file;
    value = import (./. + "/${file}") {
      inherit
        self
        pkgs
        lib
        agenix
        ;
    };
  };
in
lib.listToAttrs (map check files)
