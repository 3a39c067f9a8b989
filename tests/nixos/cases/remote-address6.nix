# The same at an address of IPv6.
{
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
      host = "fd7a:115c:a1e0::7";
      user = "gateway";
      passwordCredential = "database-password";
    };
  };
}
