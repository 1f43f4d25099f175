"""Histories without simulation: real processes that are killed, the emulator's real HTTP, a real disk."""
