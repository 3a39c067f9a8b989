# From options to the gateway's configuration file, which the build itself checks.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkDefault mkIf;
  cfg = config.services.pgmcp;
  json = pkgs.formats.json { };
  said = lib.filterAttrsRecursive (_: value: value != null);
  # An empty section says nothing, so the file shows only what differs from the defaults.
  written = lib.filterAttrs (_: value: value != { }) (said cfg.settings);
in
{
  options.services.pgmcp.configFile = lib.mkOption {
    type = lib.types.path;
    default = json.generate "pgmcp.json" written;
    defaultText = lib.literalMD "a JSON file of `settings`";
    readOnly = true;
    description = "The configuration file that the service reads; {file}`/etc/pgmcp.json` is it too.";
  };

  config = mkIf cfg.enable {
    services.pgmcp.settings = {
      server = {
        host = mkDefault cfg.database.host;
        port = mkDefault (toString cfg.database.port);
        database = mkDefault cfg.database.name;
        user = mkDefault cfg.database.user;
        password_credential = mkDefault cfg.database.passwordCredential;
        roles = mkIf cfg.database.createLocally (mkDefault "peer");
      };
      http = {
        allowed_origins = mkDefault cfg.allowedOrigins;
        public_url = mkDefault cfg.publicUrl;
        # Only what systemd hands over, whoever starts the program with this file.
        tcp = mkDefault false;
      };
      access = map said cfg.access;
      provision.peer = mkIf cfg.database.createLocally (mkDefault "pgmcp-gateway");
      backup = {
        directory = mkDefault "/var/lib/pgmcp/backup";
        pg_dump = mkDefault (lib.getExe' config.services.postgresql.package "pg_dump");
      };
    };

    # So that `pgmcp doctor --config /etc/pgmcp.json` asks about what runs.
    environment.etc."pgmcp.json".source = cfg.configFile;
    environment.systemPackages = [ cfg.package ];

    # A wrong setting stops the build, not the Pi at night. A foreign machine's program can't run.
    system.checks = lib.optionals (pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform) (
      [
        (pkgs.runCommand "pgmcp-check" { } ''
          ${lib.getExe cfg.package} check --config ${cfg.configFile} | tee "$out"
        '')
      ]
      ++ lib.optional cfg.backup.enable (
        pkgs.runCommand "pgmcp-backup-schedule" { } ''
          ${lib.getExe' pkgs.systemd "systemd-analyze"} calendar ${lib.escapeShellArg cfg.backup.schedule} | tee "$out"
        ''
      )
    );
  };
}
