# No tailscale on the machine: nothing of it is asked for.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "local";
        permissions = "write";
      }
    ];
  };
}
