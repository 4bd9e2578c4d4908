"""What a process has used: CPU time, memory, and where its samples were."""
