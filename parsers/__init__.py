"""Octets in, a reading out: pure and total, with no knowledge of storage or service."""
