"""How a world lies on the disk: one LMDB environment, its log of commits, its one owner, and those who read it."""
