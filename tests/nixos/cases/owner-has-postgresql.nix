# An owner who has had PostgreSQL for long: another application, lines and settings of their own.
{
  services.tailscale.enable = true;
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "read";
      }
    ];
    database.name = "nextcloud";
  };
  services.postgresql = {
    authentication = ''
      host nextcloud nextcloud 10.88.0.0/16 scram-sha-256
    '';
    identMap = ''
      people ana nextcloud
    '';
    ensureDatabases = [ "nextcloud" ];
    ensureUsers = [
      {
        name = "nextcloud";
        ensureDBOwnership = true;
      }
    ];
    settings = {
      max_connections = 200;
      shared_buffers = "1GB";
      shared_preload_libraries = [ "auto_explain" ];
    };
  };
}
