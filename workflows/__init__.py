"""The durable shell around the core: one Temporal workflow per order."""
