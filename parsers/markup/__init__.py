"""What an HTML element is to a reply, and the page it shows: what `parsers.html` walks with."""
