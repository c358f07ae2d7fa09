"""Say why ``dev`` cannot go on."""


class DevError(Exception):
    """What ``dev`` needs cannot be had; the message is a sentence for a person."""
