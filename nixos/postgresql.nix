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
  way = "local all ${lib.concatStringsSep "," roles} peer map=pgmcp";
  maps = lib.concatMap (person: map (role: "pgmcp ${person} ${role}") roles) people;

  # What a host has made of these lines, by mkForce or a line of its own in front.
  fields =
    line: lib.filter (part: lib.isString part && part != "") (builtins.split "[[:space:]]+" line);
  isForAll = line: lib.length (fields line) > 2 && lib.elemAt (fields line) 2 == "all";
  isLocal = line: lib.hasPrefix "local" line;
  before = lib.head (lib.splitString way config.services.postgresql.authentication);
  isShadowed = lib.any (line: isLocal line && isForAll line) (lib.splitString "\n" before);
in
{
  config = lib.mkIf (cfg.enable && db.createLocally) {
    assertions = [
      {
        assertion = lib.hasInfix way config.services.postgresql.authentication && !isShadowed;
        message = ''
          services.postgresql.authentication has no line for the gateway's roles, or one for "all" in front of it, so anybody could be them, or nobody. Write your own lines without mkForce and mkBefore, or put this one first:
            ${way}
        '';
      }
      {
        assertion = lib.all (
          line: lib.elem line (lib.splitString "\n" config.services.postgresql.identMap)
        ) maps;
        message = ''
          services.postgresql.identMap lacks lines of the gateway's roles, so it could not log in. Write your own lines without mkForce.
        '';
      }
      {
        assertion = lib.versionAtLeast config.services.postgresql.package.version "15";
        message = ''
          PostgreSQL ${config.services.postgresql.package.version} is older than 15, the oldest that pgmcp knows. Dump the data, choose a newer one and restore:
            services.postgresql.package = pkgs.postgresql_17;
        '';
      }
    ];

    services.postgresql = {
      enable = true;
      # Before the server's other lines: the first line that fits decides.
      authentication = lib.mkBefore ''
        ${way}
      '';
      identMap = lib.concatMapStrings (line: "${line}\n") maps;
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
