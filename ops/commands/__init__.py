"""Commands of their own, and what all commands share: each only reads its arguments."""
