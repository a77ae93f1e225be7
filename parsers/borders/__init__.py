"""Where the author's text ends: one line, and what it is. What `parsers.reply` and `parsers.signature` ask."""
