# PostgreSQL at an address and port, the only thing that the service may then speak with.
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
      host = "100.64.0.7";
      port = 6543;
      user = "gateway";
      passwordCredential = "database-password";
      name = "shop";
    };
  };
}
