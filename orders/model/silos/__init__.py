"""What the catalog says of silos: how they are spoken to, what they can do, and when they are left alone.

What they are asked for is in `orders.model.catalog`.
"""
