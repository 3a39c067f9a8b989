# The NixOS module `services.pgmcp`: PostgreSQL's MCP gateway on this machine, for a whole tailnet.
{
  imports = [
    ./options.nix
    ./options-database.nix
    ./assertions.nix
    ./settings.nix
    ./service.nix
    ./postgresql.nix
    ./tailscale.nix
    ./backup.nix
  ];
}
