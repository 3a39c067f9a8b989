# What a host may say of the gateway itself; database, tailscale and backup have files of their own.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.services.pgmcp;
  json = pkgs.formats.json { };

  nullable =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };

  rule = types.submodule {
    options = {
      who = mkOption {
        type = types.coercedTo types.str lib.singleton (types.nonEmptyListOf types.str);
        example = [
          "ana@example.com"
          "key:ci"
        ];
        description = ''
          Whom the rule is for: logins of the tailnet, `key:NAME` for an API key, `tag:NAME` for a
          tailnet grant, `*` for everyone but `local`, `local` for who calls on this machine.
        '';
      };
      databases = mkOption {
        type = types.coercedTo types.str lib.singleton (types.nonEmptyListOf types.str);
        default = [ "*" ];
        example = [ "shop_*" ];
        description = "Patterns of database names that the rule covers; `*` is anything.";
      };
      permissions = mkOption {
        type = types.enum [
          "read"
          "write"
          "ddl"
          "admin"
        ];
        description = "How far the rule goes; each permission contains those before it.";
      };
      max_rows = nullable types.ints.positive "The most rows of one answer.";
      timeout = nullable (types.either types.ints.positive types.str) "The longest statement, in seconds or as `5min`.";
      transactions = nullable types.ints.positive "Transactions open at once.";
      calls_per_minute = nullable types.ints.positive "Calls in one minute.";
      running = nullable types.ints.positive "Statements running at once.";
    };
  };
in
{
  options.services.pgmcp = {
    enable = mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = ''
        Runs PostgreSQL's gateway for MCP clients on this machine. With one rule of
        {option}`services.pgmcp.access` it is complete where tailscale runs already.
      '';
    };

    package = mkOption {
      type = types.package;
      default = pkgs.pgmcp or (pkgs.callPackage ./package.nix { });
      defaultText = literalExpression "inputs.pgmcp.packages.\${system}.default";
      description = "The pgmcp package to run.";
    };

    access = mkOption {
      type = types.listOf rule;
      default = [ ];
      example = literalExpression ''
        [
          { who = "ana@example.com"; permissions = "admin"; }
          { who = "key:ci"; databases = [ "ci_*" ]; permissions = "write"; calls_per_minute = 60; }
        ]
      '';
      description = ''
        Decides who may do what: the first rule that matches caller and database counts, and who
        matches none is refused. At least one is needed, unless the tailnet's grants decide
        ({option}`services.pgmcp.settings.identity.capability`).
      '';
    };

    publicUrl = mkOption {
      type = types.nullOr (types.strMatching "https?://[^/[:space:]]+");
      default = null;
      example = "https://pi.tail1234.ts.net";
      description = ''
        Shows people the URL by which clients reach the gateway, and lets its origin in. Without it
        `tailscale serve` works all the same: the gateway learns the name from each request.
      '';
    };

    allowedOrigins = mkOption {
      type = types.listOf types.str;
      default = lib.optional (cfg.publicUrl != null) cfg.publicUrl;
      defaultText = lib.literalMD "the origin of `publicUrl`, when given";
      example = [ "https://pi.tail1234.ts.net" ];
      description = "Lets requests of these web origins pass; every other `Origin` is refused.";
    };

    credentials = mkOption {
      type = types.attrsOf types.externalPath;
      default = { };
      example = literalExpression "{ keys = config.age.secrets.pgmcp-keys.path; }";
      description = ''
        Files that the service alone may read, as systemd credentials, by the name that
        {option}`services.pgmcp.settings` uses. They lie outside the store, where agenix puts them;
        when such a secret's `.age` file changes, the service restarts.
      '';
    };

    localGroup = mkOption {
      type = types.strMatching "[a-z_][a-z0-9_-]*";
      default = "pgmcp";
      description = ''
        Lets members of this group call through {file}`/run/pgmcp-local.sock` as `local`, as far as
        a rule with `who = "local"` goes. On a running host a new group counts after
        `systemctl restart pgmcp.socket pgmcp-local.socket pgmcp.service`.
      '';
    };

    settings = mkOption {
      type = types.submodule {
        freeformType = json.type;
        options = {
          identity.capability = nullable types.str "Accepts the tailnet's grants under this name, such as `example.com/cap/pgmcp`.";
          identity.keys_credential = nullable types.str "Reads API keys' digests from this one of {option}`services.pgmcp.credentials`.";
          http.tcp = nullable types.bool "Listens on TCP too; not to be had here, because the service has no network.";
          server.roles = nullable (types.enum [
            "auto"
            "required"
            "peer"
            "shared"
          ]) "Chooses the login roles; `peer` where {option}`services.pgmcp.database.createLocally` is set.";
        };
      };
      default = { };
      example = literalExpression ''
        {
          limits.max_rows = 500;
          transactions.idle = "10min";
          log_level = "debug";
        }
      '';
      description = ''
        Any setting of the gateway, written as JSON; the page "settings" of the documentation lists
        them. No secret belongs here: the file is readable by everybody on this machine.
      '';
    };
  };
}
