# PostgreSQL on this machine: the roles' way in, and settings that fit a Pi of 2 GB and more.
{ config, lib, ... }:
let
  inherit (lib) mkDefault;
  cfg = config.services.pgmcp;
  db = cfg.database;
  roles = map (level: "pgmcp_${level}") [
    "read"
    "write"
    "ddl"
    "admin"
    "monitor"
    "backup"
  ];
  # Root can become anybody here, so that `sudo pgmcp doctor` may ask as each role.
  people = [
    "pgmcp-gateway"
    "root"
  ];
in
{
  config = lib.mkIf (cfg.enable && db.createLocally) {
    services.postgresql = {
      enable = true;
      ensureDatabases = lib.optional (db.name != "postgres") db.name;
      # The owner is no superuser, so that DDL makes objects that the owner owns.
      ensureUsers = lib.optional (db.name != "postgres") {
        inherit (db) name;
        ensureDBOwnership = true;
        ensureClauses.login = false;
      };
      # Before the server's other lines: the first line that fits decides.
      authentication = lib.mkBefore ''
        local all ${lib.concatStringsSep "," roles} peer map=pgmcp
      '';
      identMap = lib.concatMapStrings (
        person: lib.concatMapStrings (role: "pgmcp ${person} ${role}\n") roles
      ) people;
      settings = {
        shared_preload_libraries = [ "pg_stat_statements" ];
        effective_cache_size = mkDefault "1GB";
        maintenance_work_mem = mkDefault "64MB";
        max_connections = mkDefault 60;
        max_wal_size = mkDefault "1GB";
        # An SD card or SSD has no heads to move.
        random_page_cost = mkDefault 1.1;
        shared_buffers = mkDefault "256MB";
        track_io_timing = mkDefault true;
        # Fewer bytes for a card to wear out by.
        wal_compression = mkDefault true;
        work_mem = mkDefault "8MB";
      };
    };
  };
}
