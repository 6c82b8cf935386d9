"""SQL over a world: its tables as tables of SQLite, read where they lie.

Nothing is copied: SQLite asks for rows as it needs them, and what it looks for is found by the world's own
indexes. A query sees one commit, whatever the world does meanwhile, and can write nothing.
"""
