# Where a unit makes the users, agenix decrypts in a unit too: the gateway comes after it.
{ config, ... }:
{
  age.identityPaths = [ "/etc/ssh/ssh_host_ed25519_key" ];
  age.secrets.pgmcp-keys.file = ./secrets/pgmcp-keys.age;
  services.userborn.enable = true;
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    credentials.keys = config.age.secrets.pgmcp-keys.path;
    settings.identity.keys_credential = "keys";
  };
}
