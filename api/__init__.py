"""The thin door: TMF622, the care API, callbacks. Talks to Temporal through `api.gateway` alone."""
