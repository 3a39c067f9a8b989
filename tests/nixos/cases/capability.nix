# The tailnet's grants decide, so no rule is needed.
{
  services.tailscale.enable = true;
  services.pgmcp = {
    enable = true;
    settings.identity.capability = "example.com/cap/pgmcp";
  };
}
