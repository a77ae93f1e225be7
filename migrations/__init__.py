"""Schema migrations, shipped with the distribution so that any folder can upgrade."""
