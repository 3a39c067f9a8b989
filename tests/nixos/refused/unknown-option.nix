# A misspelt option.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    databse.name = "shop";
  };
}
