# What a host may say of PostgreSQL, of tailscale serve and of the nightly backup.
{
  config,
  lib,
  ...
}:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.services.pgmcp;
in
{
  options.services.pgmcp.database = {
    createLocally = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Runs PostgreSQL on this machine with the gateway's login roles, which log in by peer
        authentication: no password exists. Databases and settings that are there stay.
      '';
    };
    name = mkOption {
      type = types.strMatching "[A-Za-z_][A-Za-z0-9_-]*";
      default = "postgres";
      example = "shop";
      description = ''
        The database of calls that name none. With
        {option}`services.pgmcp.database.createLocally` it is created where it is not there, owned by
        a new role of its name; one that is there stays as it is.
      '';
    };
    host = mkOption {
      type = types.nonEmptyStr;
      default = "/run/postgresql";
      example = "db.tail1234.ts.net";
      description = ''
        Where PostgreSQL is: a host's name or address, or a socket's directory. Anything but a
        directory gives the service the network that it otherwise does not have.
      '';
    };
    port = mkOption {
      type = types.port;
      default = if cfg.database.createLocally then config.services.postgresql.settings.port else 5432;
      defaultText = lib.literalMD "the local server's port, else 5432";
      description = "The port of PostgreSQL.";
    };
    user = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "gateway";
      description = "The login role on a server that is not created locally.";
    };
    passwordCredential = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "database-password";
      description = "Takes the password of a remote server from this one of {option}`services.pgmcp.credentials`.";
    };
    provision = mkOption {
      type = types.bool;
      default = cfg.database.createLocally;
      defaultText = literalExpression "config.services.pgmcp.database.createLocally";
      description = ''
        Makes the gateway's login roles and their grants before each start and every hour, so that
        new databases become usable. On a remote server {option}`services.pgmcp.database.user` must
        be a superuser for it; the roles' passwords then stay in {file}`/var/lib/pgmcp`.
      '';
    };
  };

  options.services.pgmcp.tailscale.serve = {
    enable = mkOption {
      type = types.bool;
      default = config.services.tailscale.enable;
      defaultText = literalExpression "config.services.tailscale.enable";
      description = ''
        Publishes the gateway to the tailnet under this machine's own name by `tailscale serve`.
        Funnel is never switched on, and no firewall port is opened.
      '';
    };
    https = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Serves HTTPS with the tailnet's certificate, for which HTTPS certificates must be enabled in
        the tailnet. Without it plain HTTP, which the tailnet encrypts all the same; then
        {option}`services.pgmcp.publicUrl` is how the page for people knows the address.
      '';
    };
    port = mkOption {
      type = types.port;
      default = if cfg.tailscale.serve.https then 443 else 80;
      defaultText = literalExpression "if https then 443 else 80";
      description = "The port of this machine's tailnet address that answers.";
    };
    acceptAppCaps = mkOption {
      type = types.listOf (types.strMatching "[^,/[:space:]]+/[^,[:space:]]+");
      default = lib.optional (cfg.settings.identity.capability != null) cfg.settings.identity.capability;
      defaultText = literalExpression "[ config.services.pgmcp.settings.identity.capability ]";
      example = [ "example.com/cap/pgmcp" ];
      description = "Hands the caller's tailnet grants of these names to the gateway.";
    };
  };

  options.services.pgmcp.backup = {
    enable = mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = "Dumps every database and all roles of the local server, by a timer.";
    };
    schedule = mkOption {
      type = types.str;
      default = "03:15";
      example = "Mon..Fri 02:00";
      description = "When to dump, as {manpage}`systemd.time(7)` writes it.";
    };
    keep = mkOption {
      type = types.ints.positive;
      default = 7;
      description = "How many backups stay; older ones are removed after a new one is whole.";
    };
    location = mkOption {
      type = types.externalPath;
      default = "/var/backup/pgmcp";
      example = "/mnt/usb/pgmcp";
      description = ''
        The directory that holds the backups, one directory for each. A disk of its own is best: the
        backup waits for the mount. Name a directory of its own on that disk, not the disk's root:
        it becomes `postgres`' alone, and only `postgres` and root can read it.
      '';
    };
  };
}
