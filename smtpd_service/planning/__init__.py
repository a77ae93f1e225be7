"""Loads and limits, planned: mail as it will come, on paper or really sent, and the quota that it needs."""
