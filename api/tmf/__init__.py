"""Between TM Forum's bodies and the core: reading requests, writing resources, filters, patches and links.

Pure mapping: no routes, no Temporal, no register.
"""
