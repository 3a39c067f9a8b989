# What most hosts have: two lines, a database of their own and the nightly backup.
{
  services.tailscale.enable = true;
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
      {
        who = "local";
        permissions = "read";
      }
    ];
    database.name = "shop";
    backup.enable = true;
  };
}
