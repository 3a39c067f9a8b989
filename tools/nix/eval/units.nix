# The texts of systemd's units, in NixOS' manner, of the options that stubs.nix declares.
{
  lib,
  writeText,
  systemd,
}:
let
  show = v: if builtins.isBool v then lib.boolToString v else toString v;
  key =
    name: v:
    lib.concatMapStrings (x: "${name}=${show x}\n") (
      if builtins.isList v then v else lib.optional (v != null) v
    );
  keys = set: lib.concatStrings (lib.mapAttrsToList key set);
  list = name: v: lib.optionalString (v != [ ]) "${name}=${lib.concatStringsSep " " v}\n";
  unit =
    u:
    "[Unit]\n"
    + lib.optionalString (u.description != "") "Description=${u.description}\n"
    + list "After" u.after
    + list "Before" u.before
    + list "BindsTo" u.bindsTo
    + list "Conflicts" u.conflicts
    + list "Documentation" u.documentation
    + list "OnFailure" u.onFailure
    + list "OnSuccess" u.onSuccess
    + list "PartOf" u.partOf
    + list "Requires" u.requires
    + list "Requisite" u.requisite
    + list "Upholds" u.upholds
    + list "Wants" u.wants
    + key "StartLimitBurst" u.startLimitBurst
    + key "StartLimitIntervalSec" u.startLimitIntervalSec
    + keys u.unitConfig;
  install =
    u:
    let
      i =
        list "WantedBy" u.wantedBy
        + list "RequiredBy" u.requiredBy
        + list "UpheldBy" u.upheldBy
        + list "Alias" u.aliases;
    in
    lib.optionalString (i != "") "\n[Install]\n${i}";
  runs =
    s: name: text:
    lib.optionalString (text != "")
      "${name}=${writeText "unit-script-${name}" "#!/bin/sh -e\n${text}"}${
        lib.optionalString (s != "") " ${s}"
      }\n";
  body = {
    service =
      u:
      "\n[Service]\n"
      +
        lib.optionalString (u.path != [ ])
          "Environment=PATH=${lib.concatMapStringsSep ":" (p: "${p}/bin") u.path}\n"
      + lib.concatStrings (
        lib.mapAttrsToList (
          n: v: lib.optionalString (v != null) "Environment=${builtins.toJSON "${n}=${toString v}"}\n"
        ) u.environment
      )
      + runs "" "ExecStartPre" u.preStart
      + runs u.scriptArgs "ExecStart" u.script
      + runs "" "ExecStartPost" u.postStart
      + runs "" "ExecReload" u.reload
      + runs "" "ExecStop" u.preStop
      + runs "" "ExecStopPost" u.postStop
      + keys u.serviceConfig;
    socket =
      u:
      "\n[Socket]\n"
      + key "ListenStream" u.listenStreams
      + key "ListenDatagram" u.listenDatagrams
      + keys u.socketConfig;
    timer = u: "\n[Timer]\n" + keys u.timerConfig;
    slice = u: "\n[Slice]\n" + keys u.sliceConfig;
    target = _: "";
  };
  ours =
    kind: set:
    lib.mapAttrs' (name: u: lib.nameValuePair "${name}.${kind}" (unit u + body.${kind} u + install u)) (
      lib.filterAttrs (_: u: u.enable) set
    );
in
ours "service" systemd.services
// ours "socket" systemd.sockets
// ours "timer" systemd.timers
// ours "target" systemd.targets
// ours "slice" systemd.slices
