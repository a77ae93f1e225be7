"""Sender proof: who vouches for the author and the reverse-path of a message (SPF, DKIM, DMARC, ARC, front servers)."""
