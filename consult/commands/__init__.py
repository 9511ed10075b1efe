"""The commands, one module an area; consult/cli.py joins them."""
