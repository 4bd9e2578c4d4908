"""What `python -m bench` measures, a section of the report each."""
