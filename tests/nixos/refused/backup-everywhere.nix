# The root of all files, which backups would take for themselves.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    backup.enable = true;
    backup.location = "/";
  };
}
