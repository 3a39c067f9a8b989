# A secret that is in the store already.
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
    credentials.keys = "${pkgs.writeText "keys" "ci"}";
  };
}
