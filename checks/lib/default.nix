# What the tests' machines have in common: the Pi, a proxy in tailscaled's place, a client.
{
  self,
  pkgs,
  lib,
  agenix,
  ...
}:
let
  inherit (self.packages.${pkgs.stdenv.hostPlatform.system}) pgmcp;

  # Programs of the tests that need nothing but Python.
  source = lib.fileset.toSource {
    root = ../..;
    fileset = lib.fileset.unions [
      ../../tests/tailnet.py
      ../../tests/wire.py
      ./call.py
      ./proxy.py
    ];
  };
  run =
    name: file:
    pkgs.writeShellApplication {
      inherit name;
      text = ''
        export PYTHONPATH=${source}
        exec ${lib.getExe pkgs.python3} ${source}/checks/lib/${file} "$@"
      '';
    };
  call = run "pgmcp-call" "call.py";
  proxy = run "pgmcp-test-proxy" "proxy.py";

  # The name that tests/tailnet.py serves.
  host = "pi.example.ts.net";
  port = 8080;
in
{
  # `call` and the like, for the beginning of a test script.
  prelude = builtins.readFile ./prelude.py;

  # Where clients of the proxy call.
  root = "http://${host}:${toString port}";

  # The example's host as it is, and what a virtual machine of a test needs.
  pi = {
    imports = [
      self.nixosModules.default
      agenix.nixosModules.default
      ../../nixos/example/host.nix
    ];
    virtualisation.memorySize = 2048;
    environment.systemPackages = [
      call
      pkgs.curl
    ];
  };

  # On the Pi: a proxy that rewrites headers as tailscaled does, and is root as tailscaled is.
  proxy = {
    networking.firewall.allowedTCPPorts = [ port ];
    systemd.services.pgmcp-test-proxy = {
      description = "In tailscaled's place";
      wantedBy = [ "multi-user.target" ];
      after = [ "pgmcp.socket" ];
      serviceConfig.ExecStart = "${lib.getExe proxy} /run/pgmcp.sock ${toString port}";
    };
  };

  # Another machine, which reaches the proxy by name.
  client =
    { nodes, ... }:
    {
      networking.hosts.${nodes.pi.networking.primaryIPAddress} = [ host ];
      environment.systemPackages = [
        call
        pgmcp.scenario
        pkgs.curl
      ];
    };
}
