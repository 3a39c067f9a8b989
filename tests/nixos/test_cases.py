"""What each option does, read off the case that sets it."""

from __future__ import annotations

import json

from tests.nixos.units import host


def test_two_lines_give_a_whole_server() -> None:
    pi = host("two-lines")

    assert set(pi.units) == {
        "pgmcp.service",
        "pgmcp.socket",
        "pgmcp-local.socket",
        "pgmcp-provision.service",
        "pgmcp-provision.timer",
        "pgmcp-tailscale-serve.service",
        "pgmcp-tailscale-check.service",
        "pgmcp-tailscale-check.timer",
    }
    assert pi.postgresql["enable"]
    assert "pg_stat_statements" in pi.postgresql["settings"]["shared_preload_libraries"]
    assert pi.units["pgmcp.service"].all("LoadCredential") == []


def test_each_login_role_has_its_way_in() -> None:
    """Peer authentication alone; the map names the roles that provision makes."""
    told = host("two-lines").postgresql
    (line,) = told["authentication"].splitlines()
    kind, databases, roles, method, option = line.split()
    mapped = [row.split() for row in told["identMap"].splitlines()]
    (user,) = host("two-lines").units["pgmcp.service"].all("User")

    assert (kind, databases, method, option) == ("local", "all", "peer", "map=pgmcp")
    assert {role for _, _, role in mapped} == set(roles.split(","))
    assert {name for _, name, _ in mapped} == {user, "root"}
    assert [row for row in mapped if row[0] != "pgmcp"] == []
    assert "postgres" not in roles


def test_database_is_made_before_the_roles_and_by_nothing_else() -> None:
    told = host("default")
    (made,) = told.units["pgmcp-provision.service"].all("ExecStartPre")

    assert made.endswith("-create-database.sh shop /run/postgresql 5432")
    assert (told.postgresql["ensureDatabases"], told.postgresql["ensureUsers"]) == ([], [])


def test_application_that_is_there_keeps_its_role_its_lines_and_its_settings() -> None:
    told = host("owner-has-postgresql").postgresql

    assert told["ensureUsers"] == [
        {"name": "nextcloud", "ensureDBOwnership": True, "ensureClauses": {}}
    ]
    assert "host nextcloud nextcloud 10.88.0.0/16 scram-sha-256" in told["authentication"]
    assert "people ana nextcloud" in told["identMap"]
    assert told["settings"]["max_connections"] == 200
    assert told["settings"]["shared_buffers"] == "1GB"
    assert set(told["settings"]["shared_preload_libraries"].split(",")) == {
        "auto_explain",
        "pg_stat_statements",
    }


def test_roles_are_made_as_the_superuser_who_needs_no_password() -> None:
    unit = host("two-lines").units["pgmcp-provision.service"]

    assert (unit.all("User"), unit.all("DynamicUser")) == (["postgres"], ["false"])
    assert host("two-lines").units["pgmcp.service"].all("DynamicUser") == ["true"]


def test_remote_server_leaves_this_machine_without_one() -> None:
    remote = host("remote-name")

    assert not remote.postgresql["enable"]
    assert (remote.postgresql["authentication"], remote.postgresql["identMap"]) == ("", "")
    assert "postgresql.target" not in remote.units["pgmcp.service"].text
    assert "pgmcp-provision.service" not in remote.units


def test_remote_roles_are_made_with_the_password_and_the_network() -> None:
    unit = host("remote-provision").units["pgmcp-provision.service"]

    assert unit.all("LoadCredential") == ["database-password:/etc/pgmcp/password"]
    assert unit.all("PrivateNetwork") == ["false"]
    assert "network-online.target" in unit.words("After")
    assert unit.all("User") == host("remote-provision").units["pgmcp.service"].all("User")


def test_ones_own_server_is_reached_by_its_socket_and_not_touched() -> None:
    own = host("own-server")

    assert not own.postgresql["enable"]
    assert json.loads(own.generated["pgmcp.json"])["server"]["host"] == "/run/postgresql"
    assert "pgmcp-provision.service" not in own.units


def test_credential_is_the_file_that_agenix_decrypts() -> None:
    pi = host("credentials")

    assert pi.units["pgmcp.service"].all("LoadCredential") == ["pgmcp-keys:/run/agenix/pgmcp-keys"]
    assert pi.rest["secrets"]["pgmcp-keys"]["mode"] == "0400"
    assert [unit.name for unit in pi.services if unit.all("LoadCredential")] == ["pgmcp.service"]


def test_services_wait_for_agenix_where_it_is_a_unit() -> None:
    units = host("userborn").units
    ordinary = host("credentials").units["pgmcp.service"]

    assert "agenix-install-secrets.service" in units["pgmcp.service"].words("After")
    assert "agenix-install-secrets.service" in units["pgmcp.service"].words("Wants")
    assert "agenix-install-secrets.service" not in ordinary.text


def test_without_tailscale_nothing_of_it_is_there() -> None:
    for_people = host("without-tailscale")

    assert [name for name in for_people.units if "tailscale" in name] == []
    assert "tailscale" not in "".join(unit.text for unit in for_people.services)


def test_serve_can_be_left_to_the_host() -> None:
    assert [name for name in host("tailscale-off").units if "tailscale" in name] == []


def test_plain_http_and_another_port_reach_the_script() -> None:
    http = host("tailscale-http").units["pgmcp-tailscale-serve.service"].all("Environment")
    other = host("tailscale-port").units["pgmcp-tailscale-serve.service"].all("Environment")

    assert {'"PGMCP_SERVE_SCHEME=http"', '"PGMCP_SERVE_PORT=80"'} <= set(http)
    assert {'"PGMCP_SERVE_SCHEME=https"', '"PGMCP_SERVE_PORT=8443"'} <= set(other)


def test_capability_is_asked_for_and_accepted() -> None:
    pi = host("capability")
    told = pi.units["pgmcp-tailscale-serve.service"].all("Environment")

    assert '"PGMCP_SERVE_CAPABILITIES=example.com/cap/pgmcp"' in told
    assert (
        json.loads(pi.generated["pgmcp.json"])["identity"]["capability"] == "example.com/cap/pgmcp"
    )


def test_public_url_lets_its_origin_in() -> None:
    http = json.loads(host("public-url").generated["pgmcp.json"])["http"]

    assert http["public_url"] == "https://pi.tail1234.ts.net"
    assert http["allowed_origins"] == ["https://pi.tail1234.ts.net"]


def test_backup_is_where_when_and_as_often_as_it_is_said() -> None:
    units = host("backup").units
    service = units["pgmcp-backup.service"]

    assert units["pgmcp-backup.timer"].all("OnCalendar") == ["Mon..Fri 02:00"]
    assert {'"PGMCP_BACKUP_KEEP=30"', '"PGPORT=5433"'} <= set(service.all("Environment"))
    assert service.all("RequiresMountsFor") == ["/mnt/usb/pgmcp"]
    assert service.all("ReadWritePaths") == ["-/mnt/usb/pgmcp"]
    assert service.all("User") == ["postgres"]


def test_host_may_change_what_fits_its_memory() -> None:
    every = host("every-option")

    assert every.units["pgmcp.service"].all("MemoryMax") == ["512M"]
    assert every.postgresql["settings"]["shared_buffers"] == "512MB"
