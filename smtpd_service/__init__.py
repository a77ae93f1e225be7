"""The pulsebox service: SMTP in, quota, bounces out; the command line that drives it."""
