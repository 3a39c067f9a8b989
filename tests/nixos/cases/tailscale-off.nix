# tailscale is there, but the gateway is for this machine's people.
{
  services.tailscale.enable = true;
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "local";
        permissions = "admin";
      }
    ];
    localGroup = "database";
    tailscale.serve.enable = false;
  };
}
