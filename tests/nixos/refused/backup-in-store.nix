# A backup where nothing can be written.
{ pkgs, ... }:
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
    backup.location = "${pkgs.hello}/backup";
  };
}
