"""Say why ``dev`` cannot go on."""


class Failed(Exception):
    """What ``dev`` needs cannot be had; the message is a sentence for a person."""
