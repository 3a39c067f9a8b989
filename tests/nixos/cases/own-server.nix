# PostgreSQL that the host runs by itself, over its socket: no network, and nothing made.
{
  services.tailscale.enable = true;
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    database.createLocally = false;
    settings.server.roles = "peer";
  };
}
