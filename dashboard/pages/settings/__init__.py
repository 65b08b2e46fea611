"""Settings: the project, its people, keys, prices, and what came in."""
