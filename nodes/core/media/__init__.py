"""Tensors <-> files: decoded, encoded, and the memory for both."""
