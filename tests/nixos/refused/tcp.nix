# A port, where sockets of systemd are all there is.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    settings.http.tcp = true;
  };
}
