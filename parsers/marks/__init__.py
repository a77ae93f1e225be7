"""Marks of classification and personal numbers: what `parsers.marking` looks for."""
