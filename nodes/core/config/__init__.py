"""Settings and the stored token."""
