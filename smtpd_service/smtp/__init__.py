"""The SMTP border: translates between the wire and the domain, decides nothing."""
