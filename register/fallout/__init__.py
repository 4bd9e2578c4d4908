"""Fallout: what orders tell of it, what people do with it, and lists. What has fallen out, each order knows best."""
