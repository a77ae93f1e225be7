"""Mail that we write: composed, then delivered to a relay or a maildir."""
