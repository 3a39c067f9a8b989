# A misspelt key of a rule.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permission = "read";
        permissions = "read";
      }
    ];
  };
}
