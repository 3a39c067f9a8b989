# Nobody could call.
{
  services.pgmcp.enable = true;
}
