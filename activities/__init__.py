"""The hands: what touches the world on behalf of the core."""
