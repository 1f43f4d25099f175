"""Hypothesis for the tests of the pack: without a deadline, as a busy machine is no bug."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

settings.register_profile("pack", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pack")

__all__ = ["given", "settings", "st"]
