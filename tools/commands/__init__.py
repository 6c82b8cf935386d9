"""The subcommands of `deathless`, a module each: its click command is named `command` and returns the exit code."""
