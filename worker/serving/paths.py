"""Read paths as people and proxies spell them."""


def segments(path: str) -> list[str]:
    """
    Return what stands between the slashes of *path*, and nothing that is empty.

    A slash at the end, or two where one belongs, is how addresses are joined in many
    a dashboard; it names nothing else.
    """
    return [segment for segment in path.split("/") if segment]
