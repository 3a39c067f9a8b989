# A server that pgmcp does not know.
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
  };
  services.postgresql.package = pkgs.postgresql_14;
}
