# A permission that is none.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "owner";
      }
    ];
  };
}
