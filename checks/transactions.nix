# Who leaves in the middle leaves nothing behind: a client that is killed, PostgreSQL that restarts,
# the gateway that is killed, each with work under way.
{ pkgs, ... }@args:
let
  common = import ./lib args;
in
pkgs.testers.runNixOSTest {
  name = "pgmcp-transactions";

  nodes = {
    pi = {
      imports = [
        common.pi
        common.proxy
      ];
      services.pgmcp.settings.transactions.idle = 15;
    };
    inherit (common) client;
  };

  testScript = ''
    ${common.prelude}
    gateway = Gateway(pi)
    URL = "${common.root}/mcp"
    SLEEPING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    OPEN = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"


    def in_background(unit, options, *calls):
        """Let the client make calls that go on while the test does something else."""
        client.succeed(f"systemd-run --unit={unit} pgmcp-call {options} {URL} {quoted(*calls)}")


    def insert(number, **more):
        """Return the arguments of an INSERT."""
        return {"mode": "write", "sql": f"INSERT INTO marks VALUES ({number})", **more}


    start_all()
    gateway.wait()
    pi.wait_for_open_port(8080)
    client.wait_for_unit("multi-user.target")
    client.wait_until_succeeds(f"curl -sSf ${common.root}/ready")
    gateway.call("pg_schema", action="create", sql="CREATE TABLE marks (number int PRIMARY KEY)")

    with subtest("a statement ends with the client that is killed"):
        asked = {"sql": "SELECT pg_sleep(500)", "timeout_seconds": 600}
        in_background("sleeper", "", ("pg_query", asked))
        gateway.wait_for_rows(SLEEPING, "1")
        client.succeed("systemctl kill --signal=SIGKILL sleeper.service")
        gateway.wait_for_rows(SLEEPING, "0", timeout=20)

    with subtest("a transaction ends by its limits when its client is killed"):
        begun = {"action": "begin", "mode": "write"}
        written = insert(1, session_id="@")
        in_background("holder", "--legacy --hold", ("pg_tx", begun), ("pg_query", written))
        gateway.wait_for_rows(OPEN, "1")
        client.succeed("systemctl kill --signal=SIGKILL holder.service")
        gateway.wait_for_rows(OPEN, "0")
        assert gateway.psql("SELECT count(*) FROM marks") == "0"

    with subtest("PostgreSQL restarts: the transaction is lost, the gateway stays and says so"):
        handle = gateway.begin("write")
        gateway.call("pg_query", **insert(2, session_id=handle))
        before = gateway.pid()
        pi.succeed("systemctl restart postgresql.service")
        lost = gateway.refusal("pg_query", sql="SELECT 1", session_id=handle)
        assert "lost" in lost, lost
        gateway.wait_for_rows("SELECT count(*) FROM marks", "0")
        assert "-- INSERT 0 1" in gateway.call("pg_query", **insert(2))
        assert gateway.pid() == before

    with subtest("the gateway is killed: the next one starts by itself, nothing is left open"):
        handle = gateway.begin("write")
        gateway.call("pg_query", **insert(3, session_id=handle))
        before = gateway.pid()
        pi.succeed("systemctl kill --signal=SIGKILL pgmcp.service")
        # The socket is systemd's: who calls now waits in it for the next gateway.
        assert "-- INSERT 0 1" in gateway.call("pg_query", **insert(3))
        assert gateway.pid() not in (before, "0")
        unknown = gateway.refusal("pg_query", sql="SELECT 1", session_id=handle)
        assert handle[:8] in unknown, unknown
        gateway.wait_for_rows(OPEN, "0")
        assert gateway.psql("SELECT count(*) FROM marks") == "2"

    with subtest("the gateway is restarted in order: what was open is rolled back first"):
        handle = gateway.begin("write")
        gateway.call("pg_query", **insert(4, session_id=handle))
        pi.succeed("systemctl restart pgmcp.service")
        gateway.wait_for_rows(OPEN, "0", timeout=5)
        assert gateway.psql("SELECT count(*) FROM marks WHERE number = 4") == "0"
  '';
}
