# To be published by what is not there.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    tailscale.serve.enable = true;
  };
}
