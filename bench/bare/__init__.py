"""The bare workflow that orderpipe is compared with, and the worker that runs it."""
