"""Twilio's helper library, speaking to a server that is not Twilio's.

Its only acquaintance with the server is the base URL: it is told to speak to another host the documented way, through a custom HTTP client
(https://www.twilio.com/docs/libraries/python/custom-http-client).
"""

from twilio.http.http_client import TwilioHttpClient

HOSTS = ["https://api.twilio.com", "https://accounts.twilio.com"]


class ElsewhereClient(TwilioHttpClient):
    """Sends what is meant for Twilio's hosts to `base`."""

    def __init__(self, base, timeout=10):
        super().__init__(timeout=timeout)
        self.base = base

    def request(self, method, url, *args, **kwargs):
        for host in HOSTS:
            url = url.replace(host, self.base)
        return super().request(method, url, *args, **kwargs)
