"""The program `handmade`: one file a command."""

from handmade.cli.app import main as main
