# agenix on the Pi: API keys are decrypted at boot and reach the unit alone, nothing of them lies
# where others read, and new keys count as soon as the configuration that has them is switched to.
{ pkgs, lib, ... }@args:
let
  common = import ./lib args;
  inherit (args.self.packages.${pkgs.stdenv.hostPlatform.system}) pgmcp;

  # Made by the build, so that no secret is committed. The Pi gets `out` alone, where the host's own
  # key lies in the store: in a test only.
  made =
    pkgs.runCommand "pgmcp-test-secrets"
      {
        outputs = [
          "out"
          "plain"
        ];
        nativeBuildInputs = [
          pgmcp
          pkgs.age
          pkgs.openssh
        ];
      }
      ''
        mkdir "$out" "$plain"
        ssh-keygen -q -t ed25519 -N "" -C root@pi -f "$out/ssh_host_ed25519_key"
        for name in first second; do
          pgmcp key new ci >both
          sed -n 1p both >"$plain/$name.key"
          sed -n 2p both >"$plain/$name.line"
          age --encrypt --recipients-file "$out/ssh_host_ed25519_key.pub" \
            --output "$out/$name.age" "$plain/$name.line"
        done
      '';
in
pkgs.testers.runNixOSTest {
  name = "pgmcp-secrets";

  nodes.pi = {
    imports = [
      common.pi
      ../nixos/example/keys.nix
    ];
    age.secrets.pgmcp-keys.file = lib.mkForce "${made}/first.age";

    # As on a Pi that has booted before: its host key is there when agenix looks for it.
    system.activationScripts.hostKey.text = ''
      mkdir -p /etc/ssh
      install -m 0600 ${made}/ssh_host_ed25519_key ${made}/ssh_host_ed25519_key.pub /etc/ssh/
    '';
    system.activationScripts.agenixInstall.deps = [ "hostKey" ];

    users.users.member = {
      isNormalUser = true;
      extraGroups = [ "pgmcp" ];
    };

    system.switch.enable = true;
    specialisation.rotated.configuration = {
      age.secrets.pgmcp-keys.file = lib.mkOverride 40 "${made}/second.age";
    };
  };

  testScript =
    { nodes, ... }:
    let
      system = nodes.pi.system.build.toplevel;
      closure = pkgs.closureInfo { rootPaths = [ system ]; };
    in
    ''
      ${common.prelude}
      gateway = Gateway(pi)
      from pathlib import Path

      PLAIN = Path("${made.plain}")
      first, second = ((PLAIN / f"{name}.key").read_text().strip() for name in ("first", "second"))
      lines = [(PLAIN / f"{name}.line").read_text().strip() for name in ("first", "second")]
      digests = [line.split()[1] for line in lines]


      def with_key(key):
          """Return status and text of the page for who shows a key."""
          return gateway.page(f"-H 'Authorization: Bearer {key}'")


      start_all()
      gateway.wait()

      with subtest("the key counts, and a wrong one does not"):
          status, text = with_key(first)
          assert status == "200" and "key:ci" in text and "write on ci_*" in text, text
          assert with_key(second)[0] == "401"

      with subtest("root alone reads what agenix decrypted"):
          modes = pi.succeed("stat -L -c '%U %G %a' /run/agenix/pgmcp-keys").strip()
          assert modes == "root root 400", modes
          assert digests[0] in pi.succeed("cat /run/agenix/pgmcp-keys")
          for person in ("member", "postgres", "nobody"):
              pi.fail(f"runuser -u {person} -- cat /run/agenix/pgmcp-keys")

      with subtest("the unit alone reads its credential"):
          credential = "/run/credentials/pgmcp.service/keys"
          assert digests[0] in pi.succeed(f"cat {credential}")
          for person in ("member", "postgres", "nobody"):
              pi.fail(f"runuser -u {person} -- cat {credential}")
          other = pi.succeed("systemctl show --property=LoadCredential pgmcp-provision.service")
          assert "keys" not in other, other

      with subtest("nothing of it is in the store, the unit, the environment or the journal"):
          pi.succeed("test -s ${closure}/store-paths")
          told = (first, lines[0], digests[0])
          words = " ".join(f"-e {shlex.quote(secret)}" for secret in told)
          found = pi.succeed(f"xargs -a ${closure}/store-paths grep -rlF {words} || true")
          assert found == "", found
          places = (
              f"tr '\\0' '\\n' </proc/{gateway.pid()}/environ",
              f"tr '\\0' '\\n' </proc/{gateway.pid()}/cmdline",
              "systemctl show pgmcp.service",
              "cat /etc/pgmcp.json",
              "journalctl --no-pager",
          )
          for place in places:
              shown = pi.succeed(place)
              assert not [secret for secret in told if secret in shown], place

      with subtest("a new secret restarts the service, and the old key is dead"):
          before = gateway.pid()
          pi.succeed("${system}/specialisation/rotated/bin/switch-to-configuration test >&2")
          gateway.wait()
          assert gateway.pid() != before
          assert with_key(second)[0] == "200"
          assert with_key(first)[0] == "401"

      with subtest("the way back is a switch as well"):
          pi.succeed("${system}/bin/switch-to-configuration test >&2")
          gateway.wait()
          assert with_key(first)[0] == "200"
          assert with_key(second)[0] == "401"
    '';
}
