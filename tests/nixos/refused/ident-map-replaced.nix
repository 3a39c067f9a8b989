# A map without the gateway's lines.
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
  services.postgresql.identMap = lib.mkForce ''
    postgres root postgres
  '';
}
