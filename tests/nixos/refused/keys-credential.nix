# The same for the API keys.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    settings.identity.keys_credential = "keys";
  };
}
