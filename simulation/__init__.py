"""Histories of the pack in a seeded world: the pack's own code, and a network, a disk and people that fail."""
