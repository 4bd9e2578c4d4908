"""Jobs over many orders, as they are kept and told.

Running them is in `workflows.bulk`.
"""
