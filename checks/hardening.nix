# What the units may not do: systemd's own score, the ports of the machine, and a program that tries
# it all from within the very sandbox of the service.
{ pkgs, lib, ... }@args:
let
  common = import ./lib args;
in
pkgs.testers.runNixOSTest {
  name = "pgmcp-hardening";

  nodes = {
    pi =
      { config, ... }:
      {
        imports = [ common.pi ];
        users.users.member = {
          isNormalUser = true;
          extraGroups = [ "pgmcp" ];
        };
        users.users.stranger.isNormalUser = true;

        # The gateway's unit with another program in it.
        systemd.services.pgmcp-probe = {
          serviceConfig =
            removeAttrs config.systemd.services.pgmcp.serviceConfig [
              "NotifyAccess"
              "Restart"
              "RestartMaxDelaySec"
              "RestartSec"
              "RestartSteps"
              "Sockets"
              "WatchdogSec"
            ]
            // {
              Type = "oneshot";
              ExecStart = "${lib.getExe pkgs.python3} ${./lib/probe.py}";
            };
        };
      };
    inherit (common) client;
  };

  testScript = ''
    ${common.prelude}
    gateway = Gateway(pi)
    UNITS = ["", "-provision", "-backup", "-tailscale-serve", "-tailscale-check"]
    ALLOWED = ["PostgreSQL", "state", "temporary file"]

    start_all()
    gateway.wait()
    client.wait_for_unit("multi-user.target")

    for unit in UNITS:
        with subtest(f"systemd scores pgmcp{unit} at most 1.5"):
            score = f"systemd-analyze security --no-pager --threshold=15 pgmcp{unit}.service"
            print(pi.succeed(score).splitlines()[-1])

    with subtest("the gateway has no TCP port, and no way to a network"):
        pid = gateway.pid()
        listening = pi.succeed("ss --no-header --listening --tcp --udp --numeric --processes")
        assert f"pid={pid}," not in listening, listening
        links = pi.succeed(f"nsenter --net=/proc/{pid}/ns/net ip -oneline link show up")
        assert [line.split(": ")[1] for line in links.splitlines()] == ["lo"], links

    with subtest("from the network nothing but ssh answers"):
        client.wait_until_succeeds("nc -z -w 3 pi 22")
        for port in (80, 443, 3000, 5432, 8080):
            client.fail(f"nc -z -w 3 pi {port}")

    with subtest("the sandbox gives what is needed, and denies the rest"):
        pi.succeed("systemctl start pgmcp-probe.service")
        told = pi.succeed("journalctl --unit pgmcp-probe.service --output cat | grep '^{'")
        tried = json.loads(told)
        print(json.dumps(tried, indent=2))
        assert [name for name, outcome in tried.items() if outcome == "done"] == ALLOWED, tried

    with subtest("the sockets open for those they are for"):
        assert pi.succeed("stat -c '%U %G %a' /run/pgmcp.sock").strip() == "root root 600"
        assert pi.succeed("stat -c '%U %G %a' /run/pgmcp-local.sock").strip() == "root pgmcp 660"
        ask = "curl -sSf --max-time 10 http://localhost/ --unix-socket"
        told = pi.succeed(f"runuser -u member -- {ask} /run/pgmcp-local.sock")
        assert "you are        local" in told, told
        pi.fail(f"runuser -u stranger -- {ask} /run/pgmcp-local.sock")
        for person in ("member", "stranger", "postgres"):
            pi.fail(f"runuser -u {person} -- {ask} /run/pgmcp.sock")

    with subtest("nobody but the service and root becomes a role of the gateway"):
        for role in ("read", "write", "ddl", "admin", "monitor", "backup"):
            login = f"psql -XAtq -h /run/postgresql -d app -U pgmcp_{role} -c 'SELECT 1'"
            pi.succeed(login)
            for person in ("member", "stranger", "postgres"):
                pi.fail(f"runuser -u {person} -- {login}")
  '';
}
