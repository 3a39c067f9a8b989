# Two capabilities in one.
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
    tailscale.serve.acceptAppCaps = [ "example.com/a,b" ];
  };
}
