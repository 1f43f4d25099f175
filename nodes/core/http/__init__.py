"""Bytes over HTTP: calls of the API, and files of a result."""
