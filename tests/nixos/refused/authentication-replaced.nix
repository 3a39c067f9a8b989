# The snippet that everybody copies, which drops the gateway's line.
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
  services.postgresql.authentication = lib.mkForce ''
    local all all trust
  '';
}
