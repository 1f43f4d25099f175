"""Inputs -> a checked and encoded request."""
