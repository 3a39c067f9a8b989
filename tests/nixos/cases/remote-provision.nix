# A remote server whose roles this machine makes: the login is a superuser there.
{
  services.tailscale.enable = true;
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    credentials.database-password = "/etc/pgmcp/password";
    database = {
      createLocally = false;
      host = "db.example.com";
      user = "postgres";
      passwordCredential = "database-password";
      provision = true;
    };
  };
}
