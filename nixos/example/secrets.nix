# Who can decrypt what: read by the command `agenix` alone, never by the host.
let
  # REPLACE: `cat ~/.ssh/id_ed25519.pub` on your laptop.
  you = "ssh-ed25519 REPLACE you@laptop";
  # REPLACE: `ssh-keyscan -t ed25519 pi` without the first word, once the Pi has booted.
  pi = "ssh-ed25519 REPLACE root@pi";
in
{
  "pgmcp-keys.age".publicKeys = [
    you
    pi
  ];
}
