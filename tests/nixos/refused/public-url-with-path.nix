# A URL with a path, where an origin belongs.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    publicUrl = "https://pi.tail1234.ts.net/mcp";
  };
}
