"""Everything on one machine: the processes, their ports, a token issuer, `orderpipe up`.

What the demonstration shows is in `ops.demo`.
"""
