# Another port, because 443 of this machine answers with something else.
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
    tailscale.serve.port = 8443;
  };
}
