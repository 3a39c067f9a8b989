# A group that is the name of the service's own user.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    localGroup = "pgmcp-gateway";
  };
}
