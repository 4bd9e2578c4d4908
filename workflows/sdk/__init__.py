"""How orderpipe speaks with Temporal: one set-up of client, worker and replayer, and where the SDK needs help."""
