"""What opens an item of a list and what goes on with it: what `parsers.bullets` is made of."""
