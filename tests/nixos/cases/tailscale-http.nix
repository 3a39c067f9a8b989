# Plain HTTP inside the tailnet, for one without HTTPS certificates.
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
    tailscale.serve.https = false;
  };
}
