# What cannot work, each with the line to write instead.
{ config, lib, ... }:
let
  cfg = config.services.pgmcp;
  db = cfg.database;
  name = "services.pgmcp";
  inherit (cfg.settings) server;
  localPort = toString config.services.postgresql.settings.port;

  # systemd expands the others in a unit, or splits there.
  isPlain = path: builtins.match "/[^$%[:space:]\"'\\\\]*" path != null;

  # A credential that a setting names must be one that the service is given.
  given = option: credential: {
    assertion = credential == null || cfg.credentials ? ${credential};
    message = ''
      ${name}.${option} is "${toString credential}", but ${name}.credentials has no such name. Write where the file is:
        ${name}.credentials.${toString credential} = config.age.secrets.${toString credential}.path;
    '';
  };
in
{
  config.assertions = lib.optionals cfg.enable [
    {
      assertion = cfg.access != [ ] || cfg.settings.identity.capability != null;
      message = ''
        ${name}.access is empty, so nobody could call. Write who may do what, for example:
          ${name}.access = [ { who = "you@example.com"; permissions = "admin"; } ];
        permissions is one of read, write, ddl, admin; each contains those before it.
      '';
    }
    (given "database.passwordCredential" db.passwordCredential)
    (given "settings.identity.keys_credential" cfg.settings.identity.keys_credential)
    {
      assertion = !(cfg.settings.server ? password) && !(cfg.settings.server ? passwords);
      message = ''
        ${name}.settings.server.password would be readable by everybody on this machine. Hand the file over instead:
          ${name}.credentials.database-password = config.age.secrets.database-password.path;
          ${name}.database.passwordCredential = "database-password";
      '';
    }
    {
      assertion = db.createLocally -> server.host == "/run/postgresql";
      message = ''
        ${name}.database.host is "${server.host}", but database.createLocally runs PostgreSQL on this machine. For a remote server write:
          ${name}.database.createLocally = false;
      '';
    }
    {
      assertion = db.createLocally -> toString server.port == localPort;
      message = ''
        ${name}.database.port is ${toString server.port}, but the PostgreSQL of database.createLocally listens on ${localPort}. Remove it, or move PostgreSQL:
          services.postgresql.settings.port = ${toString server.port};
      '';
    }
    {
      assertion = db.createLocally -> builtins.match "template[01]|pgmcp_.*" db.name == null;
      message = ''
        ${name}.database.name is "${db.name}", which is PostgreSQL's or the gateway's own name. Choose another one:
          ${name}.database.name = "shop";
      '';
    }
    {
      assertion = cfg.localGroup != "pgmcp-gateway";
      message = ''
        ${name}.localGroup is "pgmcp-gateway", the service's own user, which systemd would then refuse to make. Choose another one:
          ${name}.localGroup = "pgmcp";
      '';
    }
    {
      assertion = lib.all isPlain (lib.attrValues cfg.credentials);
      message = ''
        ${name}.credentials has a path that systemd would read otherwise than it stands there: ${
          lib.concatStringsSep ", " (lib.filter (path: !isPlain path) (lib.attrValues cfg.credentials))
        }. Write paths without blanks, quotes, backslashes, dollar and percent signs.
      '';
    }
    {
      assertion = db.createLocally -> db.passwordCredential == null && db.user == null;
      message = ''
        ${name}.database.user and passwordCredential are for a remote server; the local one knows the gateway by peer authentication. Remove them, or write:
          ${name}.database.createLocally = false;
      '';
    }
    {
      assertion = db.createLocally || db.user != null || cfg.settings.server.roles == "peer";
      message = ''
        ${name}.database.user is not set, and without database.createLocally the gateway needs a login role. Write:
          ${name}.database.user = "gateway";
      '';
    }
    {
      assertion = cfg.settings.http.tcp == null || !cfg.settings.http.tcp;
      message = ''
        ${name}.settings.http.tcp is true, but the service listens on sockets that systemd opens, and has no network of its own. Remove it; on this machine use /run/pgmcp-local.sock.
      '';
    }
    {
      assertion = cfg.tailscale.serve.enable -> config.services.tailscale.enable;
      message = ''
        ${name}.tailscale.serve.enable needs tailscale on this machine. Write:
          services.tailscale.enable = true;
      '';
    }
    {
      assertion = cfg.backup.enable -> db.createLocally;
      message = ''
        ${name}.backup.enable dumps the server of database.createLocally, which is off. Back a remote server up where it runs, and write:
          ${name}.backup.enable = false;
      '';
    }
    {
      assertion = isPlain cfg.backup.location && cfg.backup.location != "/";
      message = ''
        ${name}.backup.location is "${cfg.backup.location}", which is no directory that backups can have for themselves. Write a path without blanks, quotes, backslashes, dollar and percent signs:
          ${name}.backup.location = "/mnt/usb/pgmcp";
      '';
    }
  ];
}
