"""Hold the configuration of a whole system, with what a test fills in."""

import re

from worker.devkit import simulators

CONFIG = """
[kafka]
bootstrap_servers = "{servers}"
topic_prefix = "{prefix}"
partitions = {partitions}
{durability}
{times}
{kafka_more}

[ingress]
host = "127.0.0.1"

[worker]
host = "127.0.0.1"
restart_backoff = "100ms"
{worker_more}

[api]
ack_timeout = "2500ms"
begin_timeout = "8s"
recovery_interval = "500ms"
keys = [{{ sha256 = "{key_digest}", sources = "all" }}]

[returns]
ticket_secrets = ["{secret}7"]
signing_keys = ["file:{signing_key}"]

[sources.idbeyond]
provider = "idbeyond"
api_key = "sk_test_{secret}"
hmac_secrets = ["{secret}1"]
{common}

[sources.identomat]
provider = "identomat"
company_key = "{secret}"
secret_key = "{secret}2"
callback_api_keys = ["{secret}3"]
url_secrets = ["{secret}4"]
otp_messages = "discard"
{common}

[sources.idnow]
provider = "idnow"
company_id = "ihrebank"
api_key = "{secret}"
url_secrets = ["{secret}5"]
{common}

[sources.biometric]
provider = "biometric"
flow_api_key = "{secret}{secret}"
url_secrets = ["{secret}6"]
{common}

[sources.stripe]
provider = "stripe"
api_key = "{secret}"
hmac_secrets = ["{secret}8"]
tolerance = "1h"
{common}

[sources.sumsub]
provider = "sumsub"
app_token = "{secret}"
secret_key = "{secret}9"
hmac_secrets = ["{secret}0"]
{common}
"""
#: A callback is repeated as it was signed, through every outage: hence Stripe's hour.
#: Demo times: a retry is a matter of milliseconds here.
_COMMON = """
environment = "test"
return_origins = ["http://127.0.0.1:3000"]
{more}
retry = {{ initial_delay = "100ms", max_delay = "1s" }}
not_ready = {{ initial_delay = "100ms", max_delay = "1s" }}
recheck_pending = ["1s"]
"""


#: one source for each, with its name
PROVIDERS = tuple(re.findall(r"^\[sources\.(\w+)\]$", CONFIG, re.MULTILINE))


def common(provider: str, port: int, more: str) -> str:
    """Return what every source sets, that of the simulated *provider* at *port*."""
    names = simulators.find(provider).addresses
    addresses = [f'{name} = "http://127.0.0.1:{port}"' for name in names]
    return _COMMON.format(more="\n".join(addresses)) + more
