# The nightly dump of the local server; `nixos/example/README.md` restores from it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.pgmcp;
  inherit (cfg) backup;
in
{
  config = lib.mkIf (cfg.enable && backup.enable) {
    systemd.services.pgmcp-backup = {
      description = "Dump of every database and all roles";
      wants = [ "postgresql.target" ];
      after = [ "postgresql.target" ];
      path = [
        config.services.postgresql.package
        pkgs.coreutils
        pkgs.util-linux
      ];
      environment = {
        PGHOST = "/run/postgresql";
        PGPORT = toString config.services.postgresql.settings.port;
        PGMCP_BACKUP_KEEP = toString backup.keep;
        PGMCP_BACKUP_LOCATION = backup.location;
      };
      unitConfig.RequiresMountsFor = [ backup.location ];
      serviceConfig = (import ./hardening.nix) // {
        Type = "oneshot";
        User = "postgres";
        # When this unit ends it would take PostgreSQL's own shared memory with it.
        RemoveIPC = false;
        # Outside the sandbox, as root: the sandbox needs the directory to be there.
        ExecStartPre = "+${pkgs.runtimeShell} ${./backup-directory.sh} ${backup.location}";
        ExecStart = "${pkgs.runtimeShell} ${./backup.sh}";
        # The hyphen: systemd looks for it before ExecStartPre makes it.
        ReadWritePaths = [ "-${backup.location}" ];
        # Somewhere under /home or /root it could not be written.
        ProtectHome = false;
        # Behind everything that answers people.
        IOSchedulingClass = "idle";
        Nice = 10;
        TimeoutStartSec = "6h";
      };
    };
    systemd.timers.pgmcp-backup = {
      description = "Dump of every database and all roles, on schedule";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = backup.schedule;
        # A Pi that was off at that time makes up for it.
        Persistent = true;
      };
    };
  };
}
