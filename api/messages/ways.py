"""The ways that there are for messages to customers, as the settings have them."""

from __future__ import annotations

from collections.abc import Mapping

from api.messages.handing_over import Way
from api.messages.mail import MailFolder, MailSender, MailServer
from orders.model.messaging import Medium, Messaging
from settings import Settings


def ways_of(settings: Settings, rules: Messaging) -> Mapping[Medium, Way]:
    """The ways by their media.

    Raises:
        SettingsError: if a setting of theirs is wrong.
    """
    return {Medium.EMAIL: _mail(settings, rules.sender)}


def _mail(settings: Settings, sender: str) -> Way:
    if settings.mail_server is None:
        return MailFolder(settings.mails, sender)
    host, _, port = settings.mail_server.rpartition(":")
    password = settings.read_mail_password()
    return MailSender(MailServer(host, int(port), settings.mail_tls, settings.mail_user, password), sender)
