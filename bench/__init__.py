"""Measures the pipe beside a bare workflow; `make bench` runs it."""
