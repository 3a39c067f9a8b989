# The real tailscaled and the real `tailscale serve` in front, with headscale as the tailnet. By
# plain HTTP, because headscale issues no certificates.
{ pkgs, ... }@args:
let
  common = import ./lib args;

  certificate = pkgs.runCommand "pgmcp-test-certificate" { nativeBuildInputs = [ pkgs.openssl ]; } ''
    mkdir "$out"
    openssl req -x509 -newkey rsa:2048 -sha256 -days 3650 -nodes \
      -keyout "$out/key.pem" -out "$out/cert.pem" \
      -subj /CN=headscale -addext subjectAltName=DNS:headscale
  '';
  trusting.security.pki.certificateFiles = [ "${certificate}/cert.pem" ];
in
pkgs.testers.runNixOSTest {
  name = "pgmcp-tailscale";

  nodes = {
    headscale = {
      services.headscale = {
        enable = true;
        settings = {
          server_url = "https://headscale";
          derp.server = {
            enabled = true;
            region_id = 999;
            stun_listen_addr = "0.0.0.0:3478";
          };
          dns = {
            base_domain = "tailnet";
            override_local_dns = false;
          };
        };
      };
      services.nginx = {
        enable = true;
        virtualHosts.headscale = {
          addSSL = true;
          sslCertificate = "${certificate}/cert.pem";
          sslCertificateKey = "${certificate}/key.pem";
          locations."/" = {
            proxyPass = "http://127.0.0.1:8080";
            proxyWebsockets = true;
          };
        };
      };
      networking.firewall = {
        allowedTCPPorts = [
          80
          443
        ];
        allowedUDPPorts = [ 3478 ];
      };
    };

    pi = {
      imports = [
        common.pi
        trusting
      ];
      services.pgmcp.tailscale.serve.https = false;
      services.pgmcp.publicUrl = "http://pi.tailnet";
    };

    laptop = {
      imports = [
        common.client
        trusting
      ];
      services.tailscale.enable = true;
      # A file that the test can write to: nothing of it depends on MagicDNS.
      environment.etc.hosts.mode = "0644";
    };
  };

  testScript = ''
    ${common.prelude}
    gateway = Gateway(pi)
    ASK = "curl -sS --max-time 20 -w '\\n%{http_code}' http://pi.tailnet/"
    ANSWERS = f"{ASK} | grep -x 200"
    UNIT = "pgmcp-tailscale-serve.service"


    def log_in(machine, user):
        """Log a machine into the tailnet as one of its users."""
        key = headscale.succeed(f"headscale preauthkeys --user {user} create").strip()
        up = f"tailscale up --login-server https://headscale --auth-key {shlex.quote(key)}"
        machine.succeed(up, timeout=120)


    def journal_says(words):
        """Wait until a line of the unit has these words."""
        found = f"journalctl --unit {UNIT} | grep -F {shlex.quote(words)}"
        pi.wait_until_succeeds(found, timeout=180)


    def ask(options=""):
        """Return status and text of the page that the laptop gets."""
        text, status = laptop.succeed(f"{ASK} {options}").rsplit("\n", 1)
        return status, text


    start_all()
    headscale.wait_for_unit("headscale.service")
    headscale.wait_for_open_port(443)
    gateway.wait()
    laptop.wait_for_unit("tailscaled.service")

    with subtest("without a login the unit says what to do, and tries again"):
        journal_says("tailscale is not logged in (its state is NeedsLogin). Run: tailscale up.")
        pi.fail(f"systemctl is-active {UNIT}")

    with subtest("after the login it comes up by itself"):
        headscale.succeed("headscale users create pi")
        headscale.succeed("headscale users create ana --email ana@example.com")
        log_in(pi, 1)
        log_in(laptop, 2)
        journal_says("clients reach pgmcp at http://pi.tailnet/mcp")
        pi.wait_until_succeeds(f"systemctl is-active {UNIT}", timeout=60)
        print(pi.succeed("tailscale serve status --json"))

    with subtest("a client of the tailnet is known by its login"):
        address = pi.succeed("tailscale ip -4").strip()
        laptop.succeed(f"echo '{address} pi.tailnet' >>/etc/hosts")
        laptop.wait_until_succeeds("tailscale ping pi")
        laptop.wait_until_succeeds(ANSWERS, timeout=120)
        status, text = ask()
        assert status == "200" and "you are        tailscale:ana@example.com" in text, text
        assert "admin on *, by access rule 1" in text, text
        assert "http://pi.tailnet/mcp" in text, text

    with subtest("the scenario plays through the real tailscale serve"):
        print(laptop.succeed("pgmcp-scenario http://pi.tailnet/mcp", timeout=900))

    with subtest("who claims to be somebody else stays who they are"):
        for header in (
            "Tailscale-User-Login: mallory@example.com",
            "tailscale-user-login: mallory@example.com",
            "Tailscale-App-Capabilities: {}",
            "X-Forwarded-For: 100.64.0.99",
        ):
            status, text = ask(f"-H '{header}'")
            assert status == "200" and "tailscale:ana@example.com" in text, text
            assert "mallory" not in text, text

    with subtest("what came from the internet by Funnel is refused on both sockets"):
        funnel = "-H 'Tailscale-Funnel-Request: ?1'"
        assert gateway.page(funnel)[0] == "403"
        assert gateway.page(funnel, socket="/run/pgmcp-local.sock")[0] == "403"
        assert "AllowFunnel" not in pi.succeed("tailscale serve status --json")

    with subtest("the local socket believes no header"):
        claim = "-H 'Tailscale-User-Login: ana@example.com'"
        assert gateway.page(claim, socket="/run/pgmcp-local.sock")[0] == "403"

    with subtest("no port of the machine's own is open for it"):
        assert "0.0.0.0:80 " not in pi.succeed("ss --no-header --listening --tcp --numeric")

    with subtest("a restart of tailscaled brings it back"):
        pi.succeed("systemctl restart tailscaled.service")
        pi.wait_until_succeeds(f"systemctl is-active {UNIT}", timeout=180)
        laptop.wait_until_succeeds(ANSWERS, timeout=180)

    with subtest("taken off by somebody else, it is put back by the timer's unit"):
        pi.succeed("systemctl is-active pgmcp-tailscale-check.timer", "tailscale serve reset")
        laptop.fail(ANSWERS)
        pi.succeed("systemctl start pgmcp-tailscale-check.service")
        laptop.wait_until_succeeds(ANSWERS, timeout=60)

    with subtest("stopped, it leaves nothing served"):
        pi.succeed(f"systemctl stop {UNIT}")
        assert json.loads(pi.succeed("tailscale serve status --json")) in ({}, None)
        laptop.fail(ANSWERS)
  '';
}
