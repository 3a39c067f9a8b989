# A database that PostgreSQL keeps for itself.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    database.name = "template1";
  };
}
