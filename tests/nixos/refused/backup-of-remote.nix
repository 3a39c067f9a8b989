# A dump of a server that runs elsewhere.
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
    };
    backup.enable = true;
  };
}
