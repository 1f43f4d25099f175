"""What developers run: ``python -m tools.generate``."""
