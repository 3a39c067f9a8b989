# Made-up packages whose attributes NixOS' modules look into; stub, stubs and self are of pkgs.nix.
{
  lib,
  stub,
  stubs,
  self,
}:
let
  postgresql =
    version:
    stub "postgresql" version
    // {
      psqlSchema = lib.versions.major version;
      jitSupport = false;
      withJIT = postgresql version;
      withoutJIT = postgresql version;
      withPackages = _: postgresql version;
      pkgs = { };
      installedExtensions = [ ];
    };

  shell = stub "bash" "5" // {
    shellPath = "/bin/sh";
  };
  python = stub "python3" "3.13.0" // {
    withPackages = _: python;
    pkgs = self.python3Packages;
  };
  kernel = stub "linux" "6.12.0" // {
    features = { };
    modDirVersion = "6.12.0";
    isZen = false;
    isHardened = false;
    target = "Image";
    kernelAtLeast = lib.versionAtLeast "6.12";
    kernelOlder = lib.versionOlder "6.12";
    config = lib.genAttrs [ "isYes" "isEnabled" "isModule" "isSet" ] (_: _: true) // {
      isNo = _: false;
    };
  };
  linuxPackages = {
    inherit kernel;
    kernelPatches = [ ];
    extend = _: linuxPackages;
  };

in
{
  inherit linuxPackages;
  bash = shell;
  bashInteractive = shell;
  runtimeShell = "/bin/sh";
  runtimeShellPackage = shell;
  postgresql = postgresql "17.4";
  postgresql_14 = postgresql "14.17";
  postgresql_15 = postgresql "15.12";
  postgresql_16 = postgresql "16.8";
  postgresql_17 = postgresql "17.4";
  postgresql_18 = postgresql "18.0";
  python3 = python;
  python3Packages = stubs "1" [
    "pglast"
    "mcp"
    "asyncpg"
    "uvicorn"
    "pydantic"
  ];
  perl = stub "perl" "5" // {
    withPackages = _: stub "perl-env" "5";
  };
  perlPackages = stubs "1" [
    "ConfigIniFiles"
    "FileSlurp"
    "NetDBus"
    "XMLParser"
    "XMLTwig"
    "JSON"
    "CryptX"
    "TextTable"
  ];
  systemd =
    stub "systemd" "257.2"
    // {
      interfaceVersion = 2;
      kbd = stub "kbd" "2";
      util-linux = stub "util-linux" "2";
      kmod = stub "kmod" "1";
    }
    // lib.genAttrs [
      "withAcl"
      "withCoredump"
      "withCryptsetup"
      "withEfi"
      "withHostnamed"
      "withImportd"
      "withKexectools"
      "withLocaled"
      "withLogind"
      "withMachined"
      "withNetworkd"
      "withNspawn"
      "withNss"
      "withOomd"
      "withPortabled"
      "withRepart"
      "withResolved"
      "withTimedated"
      "withTimesyncd"
      "withUtmp"
    ] (_: true)
    // lib.genAttrs [
      "withBootloader"
      "withFido2"
      "withHomed"
      "withRemote"
      "withSysupdate"
      "withTpm2Tss"
      "withUkify"
      "withVmspawn"
    ] (_: false);
  nix = stub "nix" "2.31";
  nixVersions = {
    stable = self.nix;
    latest = self.nix;
  };
  unixtools = stubs "1" [
    "xxd"
    "hostname"
    "ifconfig"
    "ping"
  ];
  xorg = stubs "1" [
    "xorgserver"
    "xauth"
    "xrdb"
    "xset"
    "xsetroot"
    "xinput"
  ];
  gnome = { };
  kdePackages = { };
  libsForQt5 = { };
  plasma5Packages = { };
  qt5 = { };
  qt6 = { };
  xfce = { };
}
