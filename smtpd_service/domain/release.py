"""Who is who, where two people must agree."""


def person(name: str) -> str:
    """Return the person behind a name: `Ann@mx1` and `ann@mx2` are one, so that no host makes two of her."""
    return name.strip().casefold().partition("@")[0]
