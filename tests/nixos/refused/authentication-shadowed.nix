# A line in front that decides for the gateway's roles.
{ lib, ... }:
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
  };
  services.postgresql.authentication = lib.mkOrder 1 ''
    local all all trust
  '';
}
