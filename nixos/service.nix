# The gateway itself: two sockets that systemd keeps, and one service behind them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.pgmcp;
  db = cfg.database;
  hardening = import ./hardening.nix;

  # What the gateway will read. A directory means a Unix socket, which needs no network.
  inherit (cfg.settings.server) host port;
  isRemote = !lib.hasPrefix "/" host;
  isAddress = builtins.match "[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*" host != null;

  # PostgreSQL elsewhere: the service leaves its own empty network. An address is the only one that
  # it may then speak with; a name has to be looked up, so no filter can hold it.
  network = lib.optionalAttrs isRemote {
    PrivateNetwork = false;
    RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6";
    IPAddressDeny = if isAddress then "any" else "";
    IPAddressAllow = lib.optional isAddress host;
  };

  # agenix restarts nothing by itself: what a credential is made from is part of the unit.
  secrets = lib.filter (secret: lib.elem secret.path (lib.attrValues cfg.credentials)) (
    lib.attrValues (config.age.secrets or { })
  );

  # agenix installs by this unit where systemd or userborn makes the users, else before any unit.
  agenix = lib.optional (
    secrets != [ ] && (config.systemd.sysusers.enable || config.services.userborn.enable)
  ) "agenix-install-secrets.service";

  # What both services find there if it can be had.
  needed =
    agenix
    ++ lib.optional db.createLocally "postgresql.target"
    ++ lib.optional isRemote "network-online.target";

  common =
    hardening
    // network
    // {
      DynamicUser = true;
      # Not the name of the people's group: systemd refuses a dynamic user whose name is a group.
      User = "pgmcp-gateway";
      # The second one is where pg_admin action=backup writes.
      StateDirectory = "pgmcp pgmcp/backup";
      StateDirectoryMode = "0700";
      WorkingDirectory = "/var/lib/pgmcp";
      LoadCredential = lib.mapAttrsToList (name: path: "${name}:${path}") cfg.credentials;
    };

  # systemd's own message about a missing credential does not name it; this one does.
  credentialsAreThere = lib.optional (cfg.credentials != { }) (
    "+${pkgs.runtimeShell} ${./credentials.sh} "
    + lib.escapeShellArgs (lib.mapAttrsToList (name: path: "${name}:${path}") cfg.credentials)
  );

  # Whatever is wrong, the next attempt may find it mended; the pauses grow to a quarter of a minute.
  patience = {
    Restart = "on-failure";
    RestartSec = 2;
    RestartSteps = 3;
    RestartMaxDelaySec = 15;
  };

  socket =
    {
      path,
      group,
      mode,
      caller,
      description,
    }:
    {
      inherit description;
      wantedBy = [ "sockets.target" ];
      listenStreams = [ path ];
      socketConfig = {
        Backlog = 512;
        FileDescriptorName = caller;
        Service = "pgmcp.service";
        SocketGroup = group;
        SocketMode = mode;
        SocketUser = "root";
        # A service that fails again and again must not take its socket with it.
        TriggerLimitIntervalSec = 0;
      };
    };
in
{
  config = lib.mkIf cfg.enable {
    users.groups.${cfg.localGroup} = { };

    # Outside any RuntimeDirectory, which systemd would delete together with the socket.
    systemd.sockets.pgmcp = socket {
      description = "Socket of pgmcp for tailscaled alone";
      path = "/run/pgmcp.sock";
      group = "root";
      mode = "0600";
      caller = "tailscale";
    };
    systemd.sockets.pgmcp-local = socket {
      description = "Socket of pgmcp for this machine's people";
      path = "/run/pgmcp-local.sock";
      group = cfg.localGroup;
      mode = "0660";
      caller = "local";
    };

    systemd.services.pgmcp = {
      description = "PostgreSQL gateway for MCP clients";
      wantedBy = [ "multi-user.target" ];
      # Never requires: a restart of PostgreSQL must not stop the gateway.
      wants = needed;
      after = needed;
      # Restarted in one go: connections made meanwhile wait in the sockets.
      stopIfChanged = false;
      restartTriggers = map (secret: "${secret.file}") secrets;
      unitConfig.StartLimitIntervalSec = 0;
      serviceConfig =
        common
        // patience
        // {
          Type = "notify";
          NotifyAccess = "main";
          ExecCondition = credentialsAreThere;
          ExecStart = "${lib.getExe cfg.package} serve --config ${cfg.configFile}";
          Sockets = [
            "pgmcp.socket"
            "pgmcp-local.socket"
          ];
          KillMode = "mixed";
          TimeoutStartSec = 60;
          TimeoutStopSec = 20;
          WatchdogSec = 60;
          MemoryMax = lib.mkDefault "1G";
          TasksMax = 256;
        };
    };

    systemd.services.pgmcp-provision = lib.mkIf db.provision {
      description = "Login roles and grants of pgmcp";
      # Before the gateway where both start; no restart of the gateway waits for it.
      wantedBy = [ "multi-user.target" ];
      before = [ "pgmcp.service" ];
      wants = needed;
      after = needed;
      path = lib.optional db.createLocally config.services.postgresql.package;
      unitConfig.StartLimitIntervalSec = 0;
      serviceConfig =
        common
        // lib.optionalAttrs db.createLocally {
          # The superuser by peer authentication: its name has to exist, so it can't be dynamic.
          DynamicUser = false;
          User = "postgres";
          # When this unit ends it would take PostgreSQL's own shared memory with it.
          RemoveIPC = false;
          StateDirectory = "";
          WorkingDirectory = "/";
          LoadCredential = [ ];
          ExecStartPre = lib.optional (
            db.name != "postgres"
          ) "${pkgs.runtimeShell} ${./create-database.sh} ${db.name} ${host} ${toString port}";
        }
        // patience
        // {
          Type = "oneshot";
          ExecStart = "${lib.getExe cfg.package} provision --config ${cfg.configFile}";
          TimeoutStartSec = 600;
        };
    };
    systemd.timers.pgmcp-provision = lib.mkIf db.provision {
      description = "Opens new databases to pgmcp's roles";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = "hourly";
        RandomizedDelaySec = "5min";
      };
    };
  };
}
