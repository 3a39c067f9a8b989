# A remote server, and nobody to log in as.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    database.createLocally = false;
    database.host = "db.example.com";
  };
}
