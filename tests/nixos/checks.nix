# What the VM tests of checks/ come to with NixOS' own modules and test framework, on made-up
# packages: the script of each, and the failed assertions of every machine and specialisation.
#
# lib: about as old as tree, which has nixos/; agenix: a checkout; names: a file, a package a line.
{
  lib,
  tree,
  agenix,
  names,
  system,
}:
let
  l = (import (/. + lib + "/lib")).extend (
    _: old: {
      types = {
        externalPath = old.types.addCheck old.types.path (
          path: builtins.isString path && !old.isStorePath path
        );
      }
      // old.types;
    }
  );
  place = name: "/nix/store/00000000000000000000000000000000-${name}";
  base = import ../../tools/nix/eval/pkgs.nix {
    lib = l;
    inherit system;
    package = "/opt/pgmcp";
    # A word of `with lib` is no package.
    names = l.filter (name: name != "" && !(l ? ${name})) (
      l.splitString "\n" (builtins.readFile (/. + names))
    );
  };
  stub =
    name:
    base.hello
    // {
      inherit name;
      out = stub name;
      outPath = place name;
      __toString = _: place name;
      meta.mainProgram = name;
    };

  # More than the module itself asks of packages: whole systems, nginx, the test framework.
  pkgs = base // {
    inherit pkgs;
    __splicedPackages = pkgs;
    appendOverlays = _: pkgs;
    extend = _: pkgs;
    closureInfo = _: stub "closure-info";
    libxcrypt = base.libxcrypt // {
      enabledCryptSchemeIds = [ "y" ];
    };
    nginxStable = base.nginx // {
      modules = [ ];
      override = _: pkgs.nginxStable;
    };
    qemu_test = stub "qemu" // {
      ga = stub "qemu-ga";
    };
    runCommand =
      name: _: _:
      stub name // { plain = stub "${name}-plain"; };
    shadow = stub "shadow" // {
      shellPath = "/bin/nologin";
      su = stub "su";
    };
    stdenv = base.stdenv // {
      cc = base.stdenv.cc // {
        libc = stub "glibc";
      };
    };
    testers.runNixOSTest = test: (framework.evalTest (framed test)).config;
    writers = base.writers // {
      writeNginxConfig = name: _: stub name;
    };
  };

  hasUserborn = l.pathExists (/. + tree + "/nixos/modules/services/system/userborn.nix");
  framework = import (/. + tree + "/nixos/lib") { lib = l; };
  framed = test: {
    imports = [ test ];
    hostPkgs = pkgs;
    defaults = {
      nixpkgs.pkgs = l.mkForce pkgs;
      documentation.enable = false;
      # agenix asks for it; an older tree lacks it.
      imports = l.optional (!hasUserborn) {
        options.services.userborn.enable = l.mkEnableOption "userborn";
      };
    };
  };

  self = {
    packages.${system}.pgmcp = base.pgmcp // {
      scenario = stub "pgmcp-scenario";
    };
    nixosModules.default = {
      imports = [ ../../nixos ];
      services.pgmcp.package = base.pgmcp;
    };
  };
  failed = config: map (one: one.message) (l.filter (one: !one.assertion) config.assertions);
  machine = config: {
    failed = failed config;
    inherit (config) warnings;
    services = l.mapAttrs (_: unit: unit.text) (
      l.filterAttrs (name: _: builtins.match "pgmcp.*service" name != null) config.systemd.units
    );
    specialisations = l.mapAttrs (_: one: failed one.configuration) (config.specialisation or { });
  };
  report =
    name:
    let
      test = import (../../checks + "/${name}.nix") {
        inherit self pkgs;
        lib = l;
        agenix.nixosModules.default = /. + agenix + "/modules/age.nix";
      };
    in
    {
      script = test.testScriptString;
      machines = l.mapAttrs (_: machine) test.nodes;
    };
in
l.genAttrs [
  "hardening"
  "scenario"
  "secrets"
  "tailscale"
  "transactions"
  "upgrade"
] report
