"""What operates worlds: the `deathless` command."""
