"""Papers of evidence, each made from the record as it is at one moment."""


class EvidenceRefused(Exception):
    """No paper was made; the message says why and what to do."""
