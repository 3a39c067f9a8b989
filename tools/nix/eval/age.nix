# A stand-in for agenix' options, for when no checkout of it is at hand.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  opt = type: default: mkOption { inherit type default; };
in
{
  options.age = {
    identityPaths = opt (types.listOf types.path) [ ];
    secretsDir = opt types.path "/run/agenix";
    secretsMountPoint = opt types.str "/run/agenix.d";
    ageBin = opt types.str "age";
    secrets = opt (types.attrsOf (
      types.submodule (
        { name, config, ... }:
        {
          options = {
            name = opt types.str name;
            file = mkOption { type = types.path; };
            path = opt types.str "/run/agenix/${config.name}";
            mode = opt types.str "0400";
            owner = opt types.str "0";
            group = opt types.str "0";
            symlink = opt types.bool true;
          };
        }
      )
    )) { };
  };
  config.assertions = lib.optional (config.age.secrets != { }) {
    assertion = config.age.identityPaths != [ ];
    message = "age.identityPaths must be set.";
  };
}
