# The page docs/options.md, as text, made from the options themselves: nothing but lib is needed.
{ lib }:
let
  # What the options ask of nixpkgs and of NixOS; the values that matter stand in defaultText.
  stand-ins = {
    _module.check = false;
    _module.args.pkgs.formats.json = _: {
      type = lib.types.attrsOf lib.types.anything // {
        description = "JSON value";
      };
    };
  };
  inherit
    (lib.evalModules {
      modules = [
        ./options.nix
        ./options-database.nix
        ./settings.nix
        stand-ins
      ];
    })
    options
    ;
  written = lib.filter (option: option.visible && !option.internal) (
    lib.optionAttrSetToDocList options.services
  );

  # In the order of the page: the beginning of the names, and what the section is called.
  sections = [
    {
      prefix = "services.pgmcp";
      title = "The gateway";
    }
    {
      prefix = "services.pgmcp.access";
      title = "A rule of `access`";
    }
    {
      prefix = "services.pgmcp.settings";
      title = "Settings that other options depend on";
    }
    {
      prefix = "services.pgmcp.database";
      title = "PostgreSQL";
    }
    {
      prefix = "services.pgmcp.tailscale";
      title = "tailscale serve";
    }
    {
      prefix = "services.pgmcp.backup";
      title = "Backup";
    }
  ];
  isBelow = section: option: lib.hasPrefix "${section.prefix}." option.name;
  # The last section that fits is the option's own.
  sectionOf = option: lib.last (lib.filter (section: isBelow section option) sections);

  plain =
    lib.replaceStrings
      [
        "{option}`"
        "{file}`"
        "{manpage}`"
      ]
      [
        "`"
        "`"
        "`"
      ];

  # A value in one line where it fits, as nixfmt would not write it: a page is no source.
  value =
    title: rendered:
    let
      text = lib.trim rendered.text;
      lines = map lib.trim (lib.splitString "\n" text);
      line = lib.concatStringsSep " " lines;
    in
    if rendered._type == "literalMD" then
      "- ${title}: ${text}\n"
    else if lib.length lines == 1 || lib.stringLength line <= 60 then
      "- ${title}: `${line}`\n"
    else
      "- ${title}:\n\n  ```nix\n${indented text}\n  ```\n";
  indented = text: lib.concatMapStringsSep "\n" (line: "  ${line}") (lib.splitString "\n" text);

  entry = option: ''
    ### ${option.name}

    ${lib.trim (plain option.description)}

    - Type: `${option.type}`
    ${lib.optionalString (option ? default) (value "Default" option.default)}${
      lib.optionalString (option ? example) (value "Example" option.example)
    }'';

  # `enable` is what a reader looks for first.
  isFirst = option: option.name == "services.pgmcp.enable";
  section =
    this:
    let
      own = lib.partition isFirst (lib.filter (option: sectionOf option == this) written);
    in
    "## ${this.title}\n\n" + lib.concatMapStringsSep "\n" entry (own.right ++ own.wrong);
in
''
  # Options of the NixOS module

  Generated from `nixos/options*.nix` by `make nix-snapshots`; a test holds it current. All of
  `services.pgmcp.settings` is in [settings](settings.md); how to install, upgrade and restore is in
  [operations](operations.md).

''
+ lib.concatMapStringsSep "\n" section sections
