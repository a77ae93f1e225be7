"""What mail programs and people write around an answer, as data: a row each, its client and language beside it."""
