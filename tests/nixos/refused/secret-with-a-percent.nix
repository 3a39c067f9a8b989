# A path in which systemd would put something else.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    credentials.keys = "/run/secrets/100%/keys";
  };
}
