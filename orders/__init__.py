"""The core of orderpipe: order, catalog, plan, ledger, reconcile. Pure and deterministic, without any I/O."""
