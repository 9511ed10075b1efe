"""Papers of evidence, each made from the record as it is at one moment."""
