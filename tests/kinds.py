"""Folders in which every test bears one of these marks; where a command leaves them all out, the folder is not read."""

OF_A_KIND = {"journeys": {"browser"}, "faults": {"fault"}, "bench": {"speed", "soak"}}
