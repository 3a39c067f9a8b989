# A path from nowhere.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    credentials.keys = "secrets/keys";
  };
}
