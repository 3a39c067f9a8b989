# PostgreSQL on another machine, by its name, with the password that agenix decrypts.
{ config, ... }:
{
  age.identityPaths = [ "/etc/ssh/ssh_host_ed25519_key" ];
  age.secrets.database-password.file = ./secrets/database-password.age;
  services.tailscale.enable = true;
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    credentials.database-password = config.age.secrets.database-password.path;
    database = {
      createLocally = false;
      host = "db.tail1234.ts.net";
      user = "gateway";
      passwordCredential = "database-password";
    };
  };
}
