"""The mail servers that are measured, each private to a folder and a port of its own."""
