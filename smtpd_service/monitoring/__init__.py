"""What the service tells of itself to those who watch it: figures, health, and whether to send mail here."""
