# API keys, for callers that the tailnet does not know by name, such as CI.
# The file is made by `agenix -e pgmcp-keys.age` in this folder; host.nix imports this one.
{ config, lib, ... }:
{
  age.secrets.pgmcp-keys.file = ./pgmcp-keys.age;

  services.pgmcp = {
    credentials.keys = config.age.secrets.pgmcp-keys.path;
    settings.identity.keys_credential = "keys";
    # Before the other rules: `*` would match a key too.
    access = lib.mkBefore [
      {
        who = "key:ci";
        databases = "ci_*";
        permissions = "write";
        calls_per_minute = 600;
      }
    ];
  };
}
