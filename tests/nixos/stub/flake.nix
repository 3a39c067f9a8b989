# A stand-in for nixpkgs, for evaluating our flake where no nixpkgs is: tests/nixos/flake.sh copies
# it beside a checkout of nixpkgs' lib and the stand-ins of tools/nix/eval, and overrides the input.
# It knows no package but those named here, so a name that is new to us has to be added knowingly.
{
  outputs =
    { self }:
    let
      lib = import ./lib;
      packagesOf =
        system:
        import ./packages.nix {
          inherit lib system;
          stand-ins = import ./eval/pkgs.nix {
            inherit lib system;
            names = [
              "deadnix"
              "nixfmt"
              "nixfmt-tree"
              "openssh"
              "ruff"
              "statix"
            ];
            package = "/nix/store/00000000000000000000000000000000-pgmcp-0";
          };
        };
    in
    {
      legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] packagesOf;

      lib = lib // {
        nixosSystem =
          { modules }:
          lib.evalModules {
            modules = modules ++ [
              ./eval/stubs.nix
              ./system.nix
              (
                { config, ... }:
                {
                  _module.args.pkgs = self.legacyPackages.${config.nixpkgs.hostPlatform};
                }
              )
            ];
          };
      };
    };
}
