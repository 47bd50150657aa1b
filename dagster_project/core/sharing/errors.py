"""What may go wrong when something is shared."""


class SharingError(Exception):
    """Nothing is given away; the message says why in one line."""
