"""The benchmark: what orderpipe costs over a bare Temporal workflow that makes the same silo calls."""
