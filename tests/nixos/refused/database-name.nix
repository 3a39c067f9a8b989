# A name that PostgreSQL's set-up could not quote.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    database.name = "shop'; DROP TABLE customers";
  };
}
