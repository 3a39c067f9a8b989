# What a whole host sets beside the stand-ins' options: unknown options pass, because most of them
# are NixOS' own; whether they exist there is for the check `module` of a real nixpkgs to say. Those
# of services.pgmcp are known here.
{
  config,
  options,
  lib,
  ...
}:
let
  inherit (lib) mkOption types;
  unknown =
    path: known: set:
    lib.concatLists (
      lib.mapAttrsToList (
        name: value:
        if !(known ? ${name}) then
          [ "${path}.${name}" ]
        else
          lib.optionals (!lib.isOption known.${name}) (unknown "${path}.${name}" known.${name} value)
      ) set
    );
  wrong = unknown "services.pgmcp" options.services.pgmcp config.services.pgmcp;
in
{
  freeformType = types.lazyAttrsOf types.anything;
  options = {
    nixpkgs.hostPlatform = mkOption { type = types.str; };
    systemd.units = mkOption { type = types.attrsOf types.attrs; };
    system.build.toplevel = mkOption { type = types.raw; };
  };
  config = {
    systemd.units = lib.mapAttrs' (
      name: service: lib.nameValuePair "${name}.service" { text = builtins.toJSON service.serviceConfig; }
    ) config.systemd.services;
    system.build.toplevel =
      if wrong != [ ] then
        throw "no such option: ${lib.concatStringsSep ", " wrong}"
      else
        derivation {
          name = "nixos-system-${config.networking.hostName}";
          system = config.nixpkgs.hostPlatform;
          builder = "/bin/sh";
          units = builtins.unsafeDiscardStringContext (builtins.toJSON config.systemd.units);
        };
  };
}
