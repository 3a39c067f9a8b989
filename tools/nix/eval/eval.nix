# See eval.sh. The arguments are strings; an empty one means: not given. names: a file, a name a line.
{
  lib,
  module,
  config ? "",
  stubs ? "",
  agenix ? "",
  tree ? "",
  package,
  units,
  names,
  system,
}:
let
  # A lib older than 25.05 has no type for a path outside the store.
  l = (import (lib + "/lib")).extend (
    _: old: {
      types = {
        externalPath = old.types.addCheck old.types.path (
          path: builtins.isString path && !old.isStorePath path
        );
      }
      // old.types;
    }
  );
  inherit (l)
    mapAttrs
    filterAttrs
    concatMapStringsSep
    optional
    ;
  pkgs = import ./pkgs.nix {
    lib = l;
    inherit system package;
    names = builtins.filter (name: name != "") (l.splitString "\n" (builtins.readFile (/. + names)));
  };

  # nixosModules.default as a file is a module, or a function from the flake to one.
  self = {
    outPath = dirOf module;
    packages.${system} = {
      default = pkgs.pgmcp;
      inherit (pkgs) pgmcp;
    };
  };
  imported = import (/. + module);
  flakeModule =
    if builtins.isFunction imported && builtins.functionArgs imported == { } then
      {
        _file = module;
        imports = [ (imported self) ];
      }
    else
      /. + module;

  modules = [
    flakeModule
  ]
  ++ optional (config != "") (/. + config)
  ++ optional (stubs != "") (/. + stubs)
  ++ optional (agenix != "") (/. + agenix + "/modules/age.nix");

  withStubs = l.evalModules {
    specialArgs = { inherit pkgs utils; };
    modules = [ ./stubs.nix ] ++ optional (agenix == "") ./age.nix ++ modules;
  };
  # For ExecStart= lines: quoted for systemd, % and $ kept as they are.
  utils = {
    inherit escapeSystemdExecArg;
    escapeSystemdExecArgs = concatMapStringsSep " " escapeSystemdExecArg;
  };
  escapeSystemdExecArg =
    arg: builtins.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (builtins.toJSON (toString arg));

  # A whole nixpkgs has its packages too; then only the gateway's own is made up.
  isWhole = tree != "" && builtins.pathExists (/. + tree + "/pkgs/top-level/default.nix");
  withNixos = import (/. + tree + "/nixos/lib/eval-config.nix") {
    lib = l;
    system = null;
    specialArgs = { };
    modules = [
      {
        _file = "eval.nix";
        nixpkgs.pkgs =
          if isWhole then
            import (/. + tree) {
              inherit system;
              overlays = [ (_: _: { inherit (pkgs) pgmcp; }) ];
            }
          else
            pkgs;
        nixpkgs.hostPlatform = system;
        documentation.enable = false;
        boot.loader.grub.enable = false;
        fileSystems."/" = {
          device = "/dev/null";
          fsType = "ext4";
        };
        system.stateVersion = l.mkDefault l.trivial.release;
      }
      # options that agenix or the module may read and an older tree lacks
      (_: {
        options = l.optionalAttrs (
          !l.pathExists (/. + tree + "/nixos/modules/services/system/userborn.nix")
        ) { services.userborn.enable = l.mkEnableOption "userborn"; };
      })
    ]
    ++ optional (agenix == "") ./age.nix
    ++ modules;
  };

  evaluated = if tree == "" then withStubs else withNixos;
  cfg = evaluated.config;
  wanted = filterAttrs (name: _: builtins.match units name != null);

  # NixOS' own texts where its modules are there.
  texts = wanted (
    if tree != "" then
      mapAttrs (_: u: u.text) (
        filterAttrs (n: u: u.enable && builtins.match units n != null) cfg.systemd.units
      )
    else
      import ./units.nix {
        lib = l;
        inherit (pkgs) writeText;
        inherit (cfg) systemd;
      }
  );

  # What the units name of the store, and what that names in turn: name -> text. Made-up packages are
  # only paths, so they are not among them.
  named =
    text:
    map (key: {
      inherit key;
      text = builtins.readFile (builtins.appendContext key { ${key}.path = true; });
    }) (builtins.attrNames (builtins.getContext text));
  # Real packages would have to be built to be read.
  files = l.optionalAttrs (!isWhole) (
    l.listToAttrs (
      map (file: l.nameValuePair (builtins.substring 33 (-1) (baseNameOf file.key)) file.text) (
        builtins.genericClosure {
          startSet = named (builtins.toJSON texts);
          operator = file: named file.text;
        }
      )
    )
  );

  pg = cfg.services.postgresql;
  failed = map (a: a.message) (builtins.filter (a: !a.assertion) cfg.assertions);
  report = {
    assertions = {
      inherit failed;
      total = builtins.length cfg.assertions;
    };
    inherit (cfg) warnings;
    units = texts;
    services = mapAttrs (_: s: {
      inherit (s) serviceConfig environment;
      restartTriggers = map toString s.restartTriggers;
    }) (l.filterAttrs (n: _: builtins.match units "${n}.service" != null) cfg.systemd.services);
    sockets = mapAttrs (_: s: { inherit (s) listenStreams socketConfig; }) (
      l.filterAttrs (n: _: builtins.match units "${n}.socket" != null) cfg.systemd.sockets
    );
    postgresql = {
      inherit (pg)
        enable
        authentication
        identMap
        ensureDatabases
        ;
      package = "${pg.package}";
      settings = filterAttrs (_: v: v != null) pg.settings;
      ensureUsers = map (u: {
        inherit (u) name ensureDBOwnership;
        ensureClauses = filterAttrs (_: v: v != null) u.ensureClauses;
      }) pg.ensureUsers;
    };
    tailscale = {
      inherit (cfg.services.tailscale) enable permitCertUid;
    }
    // l.optionalAttrs (cfg.services.tailscale ? serve) { inherit (cfg.services.tailscale) serve; };
    firewall = {
      inherit (cfg.networking.firewall)
        enable
        allowedTCPPorts
        allowedUDPPorts
        trustedInterfaces
        ;
      interfaces = mapAttrs (
        _: i: i.allowedTCPPorts ++ i.allowedUDPPorts
      ) cfg.networking.firewall.interfaces;
    };
    users = builtins.attrNames cfg.users.users;
    groups = builtins.attrNames cfg.users.groups;
    etc = mapAttrs (_: file: toString file.source) (
      filterAttrs (name: _: builtins.match ".*pgmcp.*" name != null) cfg.environment.etc
    );
    checks = map (check: check.buildCommand) (
      builtins.filter (check: l.hasPrefix "pgmcp" check.name) cfg.system.checks
    );
    inherit files;
    secrets = mapAttrs (_: s: {
      inherit (s)
        path
        mode
        owner
        group
        ;
    }) cfg.age.secrets;
    tmpfiles = cfg.systemd.tmpfiles.rules;
  }
  // l.optionalAttrs (tree == "") { packages = map toString cfg.environment.systemPackages; };
in
{
  inherit report;
  # the unit texts as one file: its closure holds every generated file they name
  refs = pkgs.writeText "units" (builtins.toJSON texts);
}
