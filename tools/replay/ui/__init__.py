"""The full-screen view of `deathless replay ui`; it needs textual, which the extra `deathless[replay]` installs."""
