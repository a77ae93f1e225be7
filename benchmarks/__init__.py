"""Pulsebox beside its peers on one machine: how fast mail is taken and read, what it costs, how long clients wait."""
