# Every option that can be set beside a local server.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  age.identityPaths = [ "/etc/ssh/ssh_host_ed25519_key" ];
  age.secrets.pgmcp-keys.file = ./secrets/pgmcp-keys.age;
  services = {
    tailscale.enable = true;
    postgresql.settings.shared_buffers = "512MB";
    pgmcp = {
      enable = true;
      package = pkgs.pgmcp;
      access = [
        {
          who = [
            "ana@example.com"
            "key:ci"
          ];
          databases = [
            "shop"
            "shop_*"
          ];
          permissions = "ddl";
          max_rows = 500;
          timeout = "5min";
          transactions = 2;
          calls_per_minute = 60;
          running = 3;
        }
        {
          who = "tag:pi";
          databases = "metrics";
          permissions = "write";
          timeout = 90;
        }
        {
          who = "*";
          permissions = "read";
        }
        {
          who = "local";
          permissions = "admin";
        }
      ];
      publicUrl = "https://pi.tail1234.ts.net:8443";
      allowedOrigins = [
        "https://pi.tail1234.ts.net:8443"
        "https://inspector.example.com"
      ];
      credentials.keys = config.age.secrets.pgmcp-keys.path;
      localGroup = "database";
      settings = {
        identity.capability = "example.com/cap/pgmcp";
        identity.keys_credential = "keys";
        http.tcp = false;
        limits.max_rows = 500;
        log_level = "debug";
        server.roles = "peer";
        transactions.idle = "10min";
      };
      database = {
        createLocally = true;
        name = "shop";
        host = "/run/postgresql";
        port = 5432;
        user = null;
        passwordCredential = null;
        provision = true;
      };
      tailscale.serve = {
        enable = true;
        https = true;
        port = 8443;
        acceptAppCaps = [
          "example.com/cap/pgmcp"
          "example.com/cap/other"
        ];
      };
      backup = {
        enable = true;
        schedule = "03:15";
        keep = 7;
        location = "/var/backup/pgmcp";
      };
    };
  };
  # What a host may change of a unit without mkForce.
  systemd.services.pgmcp.serviceConfig.MemoryMax = "512M";
  environment.systemPackages = lib.mkAfter [ pkgs.jq ];
}
