"""Say where a provider is to call back."""

from worker import settings, signing


def address(config: settings.Settings, name: str) -> str:
    """
    Return the webhook URL of the source *name*.

    With ``signed_url`` its last segment is a secret, made with the first of
    ``url_secrets``.
    """
    source = config.sources[name]
    url = f"{config.ingress.public_url}/webhooks/{name}"
    if "signed_url" not in source.authenticators:
        return url
    key = source.url_secrets[0].key()
    return f"{url}/{signing.url_token(key, source.environment, name)}"
