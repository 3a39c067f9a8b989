# The node's own `tailscale serve` in front of the socket: put up, kept up, taken down.
# (services.tailscale.serve of nixpkgs serves Tailscale Services only, never the node's own name.)
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.pgmcp;
  serve = cfg.tailscale.serve;

  script = action: "${pkgs.runtimeShell} ${./tailscale-serve.sh} ${action}";

  run =
    unit:
    unit
    // {
      after = [
        "tailscaled.service"
        "tailscaled-autoconnect.service"
        "tailscaled-set.service"
      ];
      path = [
        config.services.tailscale.package
        pkgs.coreutils
        pkgs.jq
      ];
      environment = {
        PGMCP_SERVE_SCHEME = if serve.https then "https" else "http";
        PGMCP_SERVE_PORT = toString serve.port;
        PGMCP_SERVE_TARGET = "unix:/run/pgmcp.sock";
        PGMCP_SERVE_CAPABILITIES = lib.concatStringsSep "," serve.acceptAppCaps;
      };
    };

  # tailscaled obeys root alone, whom PrivateUsers leaves as root.
  sandbox = (import ./hardening.nix) // {
    Type = "oneshot";
    ExecStart = script "apply";
    TimeoutStartSec = 120;
  };
in
{
  config = lib.mkIf (cfg.enable && serve.enable) {
    systemd.services.pgmcp-tailscale-serve = run {
      description = "pgmcp on the tailnet, by tailscale serve";
      wants = [ "tailscaled.service" ];
      partOf = [ "tailscaled.service" ];
      wantedBy = [
        "multi-user.target"
        "tailscaled.service"
      ];
      unitConfig.StartLimitIntervalSec = 0;
      serviceConfig = sandbox // {
        # Post: an "apply" that is stopped half way is undone as well.
        ExecStopPost = script "undo";
        RemainAfterExit = true;
        # Not logged in yet, no certificates yet: tried again until it is mended.
        Restart = "on-failure";
        RestartSec = 15;
        RestartSteps = 3;
        RestartMaxDelaySec = 60;
      };
    };

    # A login to another tailnet starts with nothing served; this notices.
    systemd.services.pgmcp-tailscale-check = run {
      description = "Look whether pgmcp is still on the tailnet";
      serviceConfig = sandbox;
    };
    systemd.timers.pgmcp-tailscale-check = {
      description = "Look every five minutes whether pgmcp is still on the tailnet";
      wantedBy = [ "pgmcp-tailscale-serve.service" ];
      partOf = [ "pgmcp-tailscale-serve.service" ];
      timerConfig = {
        OnActiveSec = "5min";
        OnUnitInactiveSec = "5min";
      };
    };
  };
}
