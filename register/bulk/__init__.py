"""Bulk work: jobs, the orders that each was frozen over, what they said, and what came of it."""
