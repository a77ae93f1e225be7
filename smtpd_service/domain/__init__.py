"""Pure decisions over plain values: standard library only."""
