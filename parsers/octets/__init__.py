"""Octets of a part into text, and which parts are the author's: what `parsers.mime` asks."""
