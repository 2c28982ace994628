"""How the project gets onto a machine: environment, checks, container image. The scripts here use the standard library only."""
