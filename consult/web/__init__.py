"""The web: thin modules, one an area; templates/ mirrors them. Nothing imports this package but the command line."""
