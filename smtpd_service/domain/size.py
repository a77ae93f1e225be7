"""Sizes as people read them: decimal units, as quotas are given."""


def size_in_words(octets: int, digits: int = 1) -> str:
    """Return a size with so many digits after the point: `812 B`, `1.5 kB`, `50.0 GB`."""
    amount, units = float(octets), ["B", "kB", "MB", "GB", "TB", "PB"]
    # 999.95 would be written as 1000.0 of the smaller unit.
    while amount >= 1000 - 0.5 / 10**digits and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{octets} B" if units[0] == "B" else f"{amount:.{digits}f} {units[0]}"
