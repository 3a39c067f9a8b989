# API keys that agenix decrypts.
{ config, ... }:
{
  age.identityPaths = [ "/etc/ssh/ssh_host_ed25519_key" ];
  age.secrets.pgmcp-keys.file = ./secrets/pgmcp-keys.age;
  services.tailscale.enable = true;
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "key:ci";
        permissions = "write";
      }
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    credentials.pgmcp-keys = config.age.secrets.pgmcp-keys.path;
    settings.identity.keys_credential = "pgmcp-keys";
  };
}
