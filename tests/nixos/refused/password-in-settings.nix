# A password that would be in the store.
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
    settings.server.password = "hunter2";
  };
}
