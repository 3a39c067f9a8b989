# Typed stand-ins for the NixOS options that a gateway's module uses. They know no option
# but these: a typing error in the module fails here as it would in NixOS. What is
# missing for your module goes into a module of your own, named by $STUBS.
{ lib, pkgs, ... }:
let
  inherit (lib) mkOption types;
  t = types;
  opt = type: default: mkOption { inherit type default; };
  bool = opt t.bool false;
  strs = opt (t.listOf t.str) [ ];
  lines = opt t.lines "";
  maybe = type: opt (t.nullOr type) null;
  any = opt t.anything { };
  atom = t.oneOf [
    t.bool
    t.int
    t.float
    t.path
    t.package
    t.str
  ];
  section = opt (t.attrsOf (t.nullOr (t.either atom (t.listOf atom)))) { };
  set = options: opt (t.attrsOf (t.submodule { inherit options; })) { };

  common = {
    enable = opt t.bool true;
    description = opt t.str "";
    unitConfig = section;
    startLimitBurst = maybe t.int;
    startLimitIntervalSec = maybe t.int;
    overrideStrategy = opt (t.enum [
      "asDropinIfExists"
      "asDropin"
    ]) "asDropinIfExists";
  }
  // lib.genAttrs [
    "after"
    "aliases"
    "before"
    "bindsTo"
    "conflicts"
    "documentation"
    "onFailure"
    "onSuccess"
    "partOf"
    "requiredBy"
    "requires"
    "requisite"
    "upheldBy"
    "upholds"
    "wantedBy"
    "wants"
  ] (_: strs)
  // {
    restartTriggers = opt (t.listOf t.unspecified) [ ];
    reloadTriggers = opt (t.listOf t.unspecified) [ ];
  };
  service = common // {
    serviceConfig = section;
    environment = opt (t.attrsOf (t.nullOr atom)) { };
    path = opt (t.listOf (
      t.oneOf [
        t.package
        t.str
      ]
    )) [ ];
    script = lines;
    preStart = lines;
    postStart = lines;
    preStop = lines;
    postStop = lines;
    reload = lines;
    scriptArgs = opt t.str "";
    enableStrictShellChecks = bool;
    enableDefaultPath = opt t.bool true;
    restartIfChanged = opt t.bool true;
    reloadIfChanged = bool;
    stopIfChanged = opt t.bool true;
    notSocketActivated = bool;
    startAt = opt (t.either t.str (t.listOf t.str)) [ ];
    confinement = any;
  };
  users = set {
    isSystemUser = bool;
    isNormalUser = bool;
    createHome = bool;
    linger = maybe t.bool;
    enable = opt t.bool true;
    group = opt t.str "";
    home = opt t.path "/var/empty";
    description = opt t.str "";
    homeMode = opt t.str "700";
    uid = maybe t.int;
    extraGroups = strs;
    shell = any;
    packages = opt (t.listOf t.package) [ ];
    hashedPassword = maybe t.str;
    openssh.authorizedKeys.keys = strs;
  };
in
{
  options = {
    assertions = opt (t.listOf t.unspecified) [ ];
    warnings = strs;
    meta = any;
    system = {
      stateVersion = opt t.str "26.05";
      checks = opt (t.listOf t.package) [ ];
      activationScripts = opt (t.attrsOf t.anything) { };
    };
    systemd = {
      services = set service;
      sockets = set (
        common
        // {
          socketConfig = section;
          listenStreams = strs;
          listenDatagrams = strs;
        }
      );
      timers = set (common // { timerConfig = section; });
      targets = set common;
      slices = set (common // { sliceConfig = section; });
      packages = opt (t.listOf t.package) [ ];
      tmpfiles.rules = strs;
      tmpfiles.settings = opt (t.attrsOf t.anything) { };
      sysusers.enable = bool;
    };
    environment = {
      systemPackages = opt (t.listOf t.package) [ ];
      etc = opt (t.attrsOf t.anything) { };
      variables = any;
    };
    networking = {
      hostName = opt t.str "nixos";
      domain = maybe t.str;
      fqdn = opt t.str "nixos";
      firewall = {
        enable = opt t.bool true;
        trustedInterfaces = strs;
        allowedTCPPorts = opt (t.listOf t.port) [ ];
        allowedUDPPorts = opt (t.listOf t.port) [ ];
        interfaces = set {
          allowedTCPPorts = opt (t.listOf t.port) [ ];
          allowedUDPPorts = opt (t.listOf t.port) [ ];
        };
        checkReversePath = opt (t.either t.bool t.str) true;
      };
    };
    users = {
      inherit users;
      groups = set {
        gid = maybe t.int;
        members = strs;
        name = maybe t.str;
      };
    };
    services = {
      openssh = {
        enable = bool;
        generateHostKeys = bool;
        hostKeys = opt (t.listOf t.attrs) [ ];
      };
      userborn.enable = bool;
      postgresql = {
        enable = bool;
        enableTCPIP = bool;
        enableJIT = bool;
        checkConfig = opt t.bool true;
        package = opt t.package pkgs.postgresql;
        finalPackage = opt t.package pkgs.postgresql;
        dataDir = opt t.path "/var/lib/postgresql/17";
        superUser = opt t.str "postgres";
        authentication = lines;
        identMap = lines;
        initdbArgs = strs;
        initialScript = maybe t.path;
        extensions = opt (t.either (t.functionTo (t.listOf t.path)) (t.listOf t.path)) (_: [ ]);
        ensureDatabases = strs;
        ensureUsers = opt (t.listOf (
          t.submodule {
            options = {
              name = mkOption { type = t.str; };
              ensureDBOwnership = bool;
              ensureClauses = opt (t.attrsOf t.anything) { };
            };
          }
        )) [ ];
        settings = opt (t.submodule {
          freeformType = t.attrsOf (
            t.nullOr (
              t.oneOf [
                t.bool
                t.int
                t.float
                t.str
              ]
            )
          );
          options.port = opt t.port 5432;
          options.shared_preload_libraries = maybe (
            t.coercedTo (t.listOf t.str) (lib.concatStringsSep ",") t.commas
          );
        }) { };
      };
      tailscale = {
        enable = bool;
        openFirewall = bool;
        disableUpstreamLogging = bool;
        disableTaildrop = bool;
        package = opt t.package pkgs.tailscale;
        port = opt t.port 41641;
        interfaceName = opt t.str "tailscale0";
        authKeyFile = maybe t.path;
        authKeyParameters = any;
        permitCertUid = maybe t.str;
        useRoutingFeatures = opt (t.enum [
          "none"
          "client"
          "server"
          "both"
        ]) "none";
        extraUpFlags = strs;
        extraSetFlags = strs;
        extraDaemonFlags = strs;
        serve = {
          enable = bool;
          configFile = maybe t.path;
          services = set {
            endpoints = opt (t.attrsOf t.str) { };
            advertised = mkOption { type = t.nullOr t.bool; };
          };
        };
      };
    };
  };
}
