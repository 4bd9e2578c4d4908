"""What the catalog in force means for agents: the tasks that an offering calls for."""
