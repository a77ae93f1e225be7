"""A week of replies from several hundred employees, as their mail programs write them."""
