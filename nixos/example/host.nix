# A whole Raspberry Pi: PostgreSQL, tailscale, and pgmcp for everybody on the tailnet.
# Nothing here is about one board; README.md leads from the bare board to the first query.
{ lib, pkgs, ... }:
{
  imports = [
    # ./keys.nix # API keys, for callers that the tailnet does not know: README.md, "API keys"
  ];

  networking.hostName = "pi";
  # Never change it on a host that is installed: it says what the stored data looks like.
  system.stateVersion = "26.05";

  # What the SD image has too; an installation on another disk says its own.
  boot.loader.grub.enable = lib.mkDefault false;
  boot.loader.generic-extlinux-compatible.enable = lib.mkDefault true;
  fileSystems."/" = lib.mkDefault {
    device = "/dev/disk/by-label/NIXOS_SD";
    fsType = "ext4";
  };

  # REPLACE: your own public key, `cat ~/.ssh/id_ed25519.pub`. Nothing else opens this machine.
  users.users.root.openssh.authorizedKeys.keys = [ "ssh-ed25519 REPLACE you@laptop" ];
  services.openssh = {
    enable = true;
    settings.PasswordAuthentication = false;
    settings.KbdInteractiveAuthentication = false;
  };
  # To build on the Pi what a laptop sends: nixos-rebuild --target-host.
  nix.settings.experimental-features = [
    "flakes"
    "nix-command"
  ];

  services.tailscale.enable = true;

  # Pinned, because another major version cannot read the data: it takes a backup and a restore.
  services.postgresql.package = pkgs.postgresql_17;

  services.pgmcp = {
    enable = true;
    # The database of calls that name none; it is made, owned by a role of its name.
    database.name = "app";
    # REPLACE: who may do what. The first rule that matches caller and database decides.
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
      {
        who = "*"; # everybody else on the tailnet
        databases = "app";
        permissions = "read";
      }
      {
        who = "local"; # people on the Pi itself who are in the group pgmcp
        permissions = "read";
      }
    ];
    backup.enable = true;
    # A disk of its own outlives the card: backup.location = "/mnt/usb/pgmcp";
  };
}
