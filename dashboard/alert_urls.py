"""The addresses of alerts, rules and channels, below those of a project."""

from django.urls import URLPattern, URLResolver, path

from dashboard.pages import alerts, rules
from dashboard.pages.settings import channels

pages: list[URLPattern | URLResolver] = [
    path("alerts", alerts.alerts, name="alerts"),
    path("alerts/<int:number>", alerts.alert, name="alert"),
    path("alerts/<int:number>/ack", alerts.acknowledge, name="alert_ack"),
    path("alerts/<int:number>/mute", alerts.mute, name="alert_mute"),
    path("rules", rules.rules, name="rules"),
    path("rules/new", rules.new, name="rule_new"),
    path("rules/<int:number>", rules.edit, name="rule"),
    path("rules/<int:number>/delete", rules.delete, name="rule_delete"),
]
settings: list[URLPattern | URLResolver] = [
    path("channels", channels.channels, name="settings_channels"),
    path("channels/save", channels.save, name="settings_channel_save"),
    path("channels/<int:number>/test", channels.test, name="settings_channel_test"),
    path("channels/<int:number>/delete", channels.delete, name="settings_channel_delete"),
    path("channels/digest", channels.digest, name="settings_digest"),
    path("channels/deliveries/<uuid:key>/again", channels.again, name="settings_delivery_again"),
]
