# A credential that nobody hands over.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    database = {
      createLocally = false;
      host = "db.example.com";
      user = "gateway";
      passwordCredential = "database-password";
    };
  };
}
