"""The pack's nodes as commands of a shell."""
