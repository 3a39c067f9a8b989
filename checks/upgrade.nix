# A new generation is switched to while clients work: the data stays, no request is refused, the new
# setting counts, and the way back is another switch. The night's backup brings a lost table back.
{ pkgs, ... }@args:
let
  common = import ./lib args;
in
pkgs.testers.runNixOSTest {
  name = "pgmcp-upgrade";

  nodes = {
    pi = {
      imports = [
        common.pi
        common.proxy
      ];
      system.switch.enable = true;
      specialisation.next.configuration = {
        services.pgmcp.settings.limits.max_rows = 7;
        services.postgresql.settings.work_mem = "9MB";
      };
    };
    inherit (common) client;
  };

  testScript =
    { nodes, ... }:
    let
      system = nodes.pi.system.build.toplevel;
    in
    ''
      ${common.prelude}
      gateway = Gateway(pi)
      ROOT = "${common.root}"
      COUNT = {"sql": "SELECT number FROM generate_series(1, 20) AS number"}
      # Asks again and again, and writes down how each request ended.
      ASK = "curl -s -o /dev/null -w '%{http_code}\\n' --max-time 30 --unix-socket /run/pgmcp.sock"
      ASKING = f"while :; do {ASK} http://localhost/live || echo failed; done"
      DIGEST = "SELECT md5(string_agg(kept::text, '|' ORDER BY number)) FROM kept"
      ROLES = "SELECT rolname, oid FROM pg_roles WHERE rolname LIKE 'pgmcp%' ORDER BY 1"
      OWNER = "SELECT relowner::regrole, relacl FROM pg_class WHERE relname = 'kept'"


      def sockets():
          """Return which sockets there are: other inodes would be other sockets."""
          return pi.succeed("stat -c '%n %i' /run/pgmcp.sock /run/pgmcp-local.sock")


      def switch(to):
          """Switch as nixos-rebuild does, but without a boot loader, while somebody asks."""
          before, inodes = gateway.pid(), sockets()
          output = "--property=StandardOutput=file:/run/asked"
          pi.succeed(f"systemd-run --unit=asking {output} sh -c {shlex.quote(ASKING)}")
          pi.wait_until_succeeds("grep -q 200 /run/asked")
          pi.succeed(f"{to}/bin/switch-to-configuration test >&2")
          gateway.wait()
          pi.succeed("sleep 1; systemctl stop asking.service")
          asked = pi.succeed("sort /run/asked | uniq -c; rm /run/asked")
          print(asked)
          assert len(asked.splitlines()) == 1 and asked.split()[1] == "200", asked
          assert gateway.pid() != before
          assert sockets() == inodes


      start_all()
      gateway.wait()
      pi.wait_for_open_port(8080)
      client.wait_for_unit("multi-user.target")

      with subtest("before the switch"):
          made = "CREATE TABLE kept (number int PRIMARY KEY, note text)"
          gateway.call("pg_schema", action="create", sql=made)
          written = "INSERT INTO kept SELECT n, 'note ' || n FROM generate_series(1, 1000) AS n"
          gateway.call("pg_query", mode="write", sql=written)
          assert "-- 20 rows" in gateway.call("pg_query", **COUNT)
          digest = gateway.psql(DIGEST)
          roles = gateway.psql(ROLES)

      with subtest("the switch to the next generation loses no request and no row"):
          switch("${system}/specialisation/next")
          assert gateway.psql(DIGEST) == digest
          assert gateway.psql(ROLES) == roles
          assert "-- 7 rows" in gateway.call("pg_query", **COUNT)
          assert gateway.psql("SHOW work_mem") == "9MB"
          client.succeed(f"pgmcp-scenario {ROOT}/mcp --era 2026-07-28", timeout=600)

      with subtest("the switch back is as quiet"):
          switch("${system}")
          assert "-- 20 rows" in gateway.call("pg_query", **COUNT)
          assert gateway.psql("SHOW work_mem") == "8MB"

      with subtest("the state is there after a boot"):
          pi.shutdown()
          pi.start()
          gateway.wait()
          assert gateway.psql(DIGEST) == digest
          assert "-- 20 rows" in gateway.call("pg_query", **COUNT)

      with subtest("the backup is made and comes back, with owners and rights"):
          pi.succeed("systemctl start pgmcp-backup.service")
          print(pi.succeed("journalctl --unit pgmcp-backup.service --output cat --lines 3"))
          backup = pi.succeed("ls -d /var/backup/pgmcp/20*").strip()
          pi.fail(f"runuser -u nobody -- ls {backup}")
          owner = gateway.psql(OWNER)
          gateway.psql("DROP TABLE kept")
          gateway.psql("CREATE TABLE made_since ()")
          pi.succeed("sh ${../nixos/example/restore.sh} " + backup + " >&2")
          gateway.wait()
          assert gateway.psql(DIGEST) == digest
          assert gateway.psql(OWNER) == owner
          assert gateway.psql("SELECT to_regclass('made_since') IS NULL") == "t"
          gateway.call("pg_query", mode="write", sql="INSERT INTO kept VALUES (1001)")
          told = pi.succeed("pgmcp doctor --config /etc/pgmcp.json || true")
          assert "pgmcp_ddl connects, and is no more than it should be" in told, told
    '';
}
