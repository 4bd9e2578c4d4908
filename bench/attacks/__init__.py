"""Attacks on the API, each for a while, and what everybody else notices of them meanwhile."""
