# A host that the unit would not let the gateway reach.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    settings.server.host = "db.example.com";
  };
}
