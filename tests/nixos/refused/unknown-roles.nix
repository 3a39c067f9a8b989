# A way to log in that is none.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    settings.server.roles = "superuser";
  };
}
