"""Pulsebox beside Postfix on one machine: how fast mail is taken and read, what it costs, how long a client waits."""
