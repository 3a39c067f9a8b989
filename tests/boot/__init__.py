"""
The NixOS module's units under a real systemd, with a real PostgreSQL, in a Debian tree.

`python -m tests.boot` builds what has to be in the tree and boots it by tools/nix/boot.sh; the
tests in `inside/` run there. Nothing of the host is touched but build/.
"""
