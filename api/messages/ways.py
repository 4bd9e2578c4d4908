"""The ways that there are for messages to customers, as the settings have them."""

from __future__ import annotations

from collections.abc import Mapping

from api.messages.communication import MessageSystem, SystemWay
from api.messages.handing_over import Way
from api.messages.mail import MailFolder, MailSender, MailServer
from api.messages.posting import read_target
from api.messages.texts import TextGateway, TextWay
from orders.model.messaging import Medium, Messaging
from settings import Settings


def ways_of(settings: Settings, rules: Messaging) -> Mapping[Medium, Way]:
    """The ways by their media.

    Raises:
        SettingsError: if a setting of theirs is wrong.
    """
    ways: dict[Medium, Way] = {Medium.EMAIL: _mail(settings, rules.sender)}
    if settings.message_system is not None:
        system = read_target(settings.message_system, MessageSystem, "ORDERPIPE_MESSAGE_SYSTEM")
        ways[Medium.SYSTEM] = SystemWay(system, rules)
    if settings.sms_gateway is not None:
        ways[Medium.SMS] = TextWay(read_target(settings.sms_gateway, TextGateway, "ORDERPIPE_SMS_GATEWAY"))
    return ways


def _mail(settings: Settings, sender: str) -> Way:
    if settings.mail_server is None:
        return MailFolder(settings.mails, sender)
    host, _, port = settings.mail_server.rpartition(":")
    password = settings.read_mail_password()
    return MailSender(MailServer(host, int(port), settings.mail_tls, settings.mail_user, password), sender)
