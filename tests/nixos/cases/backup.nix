# The dump on a disk of its own, on workdays, kept for a month.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    backup = {
      enable = true;
      schedule = "Mon..Fri 02:00";
      keep = 30;
      location = "/mnt/usb/pgmcp";
    };
  };
  services.postgresql.settings.port = 5433;
}
