# Another machine plays the tests' end-to-end scenario over the network, in both protocol eras: all
# five tools, as a person of the tailnet, through a proxy in tailscaled's place.
{ pkgs, ... }@args:
let
  common = import ./lib args;
in
pkgs.testers.runNixOSTest {
  name = "pgmcp-scenario";

  nodes = {
    pi.imports = [
      common.pi
      common.proxy
    ];
    inherit (common) client;
  };

  testScript = ''
    ${common.prelude}
    gateway = Gateway(pi)
    ROOT = "${common.root}"

    start_all()
    gateway.wait()
    pi.wait_for_open_port(8080)
    client.wait_for_unit("multi-user.target")

    with subtest("the page says who calls, what they may do and how to connect"):
        told = client.succeed(f"curl -sSf {ROOT}/")
        assert "tailscale:ana@example.com" in told, told
        assert "admin on *, by access rule 1" in told, told
        assert "claude mcp add --transport http pg https://pi.example.ts.net:8080/mcp" in told, told

    with subtest("the scenario plays in the revisions up to 2025-11-25"):
        print(client.succeed(f"pgmcp-scenario {ROOT}/mcp --era 2025-11-25", timeout=600))

    with subtest("the scenario plays in revision 2026-07-28"):
        print(client.succeed(f"pgmcp-scenario {ROOT}/mcp --era 2026-07-28", timeout=600))

    with subtest("somebody else of the tailnet reads, and nothing more"):
        told = client.succeed(f"curl -sSf -H 'X-Fake-Peer: bob' {ROOT}/")
        assert "tailscale:bob@example.com" in told, told
        assert "read on app, by access rule 2" in told, told
        write = {"mode": "write", "sql": "INSERT INTO marks VALUES (1)"}
        refused = gateway.refusal("pg_query", login="bob@example.com", **write)
        assert "access rule 2 gives" in refused, refused

    with subtest("every call left its line in the journal"):
        assert "caller=tailscale:ana@example.com" in pi.succeed("journalctl --unit pgmcp.service")
  '';
}
