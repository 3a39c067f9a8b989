# Not enabled: whatever else is written, nothing comes of it.
{
  services.tailscale.enable = true;
  services.pgmcp = {
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    backup.enable = true;
    database.name = "shop";
  };
}
