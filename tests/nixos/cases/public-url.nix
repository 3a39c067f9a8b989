# The URL is said, so pages show it and browsers of that origin may call.
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
    publicUrl = "https://pi.tail1234.ts.net";
  };
}
