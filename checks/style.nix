# Every file is as its formatter writes it, and the linters find nothing.
{ self, pkgs, ... }:
pkgs.runCommand "pgmcp-style"
  {
    nativeBuildInputs = [
      pkgs.deadnix
      pkgs.nixfmt
      pkgs.ruff
      pkgs.statix
    ];
  }
  ''
    cd ${self}
    find . -name '*.nix' -exec nixfmt --check {} +
    statix check .
    deadnix --fail .
    # RUF100: a noqa may be for a rule that only the ruff of requirements/test.txt has; make lint
    # runs that one.
    ruff check --no-cache --extend-ignore RUF100 .
    ruff format --no-cache --check .
    touch "$out"
  ''
