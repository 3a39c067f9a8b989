# A path that systemd would split in two.
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
    backup.location = "/mnt/usb disk/pgmcp";
  };
}
