# The sandbox that every unit of pgmcp starts from: no network, no capability, nothing to write.
# A unit that needs more overrides a line, with its reason beside it.
{
  CapabilityBoundingSet = "";
  DevicePolicy = "closed";
  # Two places that ProtectSystem leaves writable: /run as soon as other protections of the kernel's
  # files are on (seen with systemd 257), and shared memory, which nothing here uses.
  InaccessiblePaths = [ "/dev/shm" ];
  IPAddressDeny = "any";
  KeyringMode = "private";
  LockPersonality = true;
  MemoryDenyWriteExecute = true;
  NoNewPrivileges = true;
  PrivateDevices = true;
  PrivateIPC = true;
  PrivateMounts = true;
  PrivateNetwork = true;
  PrivateTmp = true;
  PrivateUsers = true;
  ProcSubset = "pid";
  ProtectClock = true;
  ProtectControlGroups = true;
  ProtectHome = true;
  ProtectHostname = true;
  ProtectKernelLogs = true;
  ProtectKernelModules = true;
  ProtectKernelTunables = true;
  ProtectProc = "invisible";
  ProtectSystem = "strict";
  ReadOnlyPaths = [ "/run" ];
  RemoveIPC = true;
  RestrictAddressFamilies = "AF_UNIX";
  RestrictNamespaces = true;
  RestrictRealtime = true;
  RestrictSUIDSGID = true;
  SystemCallArchitectures = "native";
  # A refused call is an error; without the number it would kill the process.
  SystemCallErrorNumber = "EPERM";
  SystemCallFilter = [
    "@system-service"
    "~@privileged @resources"
  ];
  UMask = "0077";
}
