"""Channels: where messages go, what each answered, and the weekly digest."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import audit
from accounts.errors import ApiError
from accounts.models import Member
from dashboard.alert_one import delivery_row
from dashboard.guard import project_page
from dashboard.pages.settings.page import shown
from guardrails import acts, deliveries
from guardrails.alert_models import Channel, Delivery, DigestReader
from guardrails.channels import KINDS
from guardrails.configuring import save_channel

PAGE = "settings_channels"
DELIVERIES = 50


@project_page()
def channels(request: HttpRequest, member: Member) -> HttpResponse:
    """The channels and their latest deliveries."""
    return _shown(request, member)


def _shown(request: HttpRequest, member: Member, *, problem: str = "", status: int = 200) -> HttpResponse:
    project, now = member.project, timezone.now()
    rows = Channel.objects.filter(project=project).order_by("name")
    sent = (
        Delivery.objects.filter(project=project)
        .select_related("channel", "user", "event")
        .order_by("-created_at")
    )
    found: dict[str, Any] = {
        "channels": [(one, KINDS[one.kind].label) for one in rows],
        "kinds": [(name, kind.label) for name, kind in KINDS.items()],
        "deliveries": [delivery_row(one, project.zone, now) for one in sent[:DELIVERIES]],
        "has_mail": bool(settings.EMAIL_URL),
        "reads_digest": DigestReader.objects.filter(project=project, user=member.user).exists(),
        "problem": problem,
        "wanted": request.POST if status != 200 else {},
    }
    return shown(request, member, PAGE, status=status, **found)


@require_POST
@project_page("owner")
def save(request: HttpRequest, member: Member) -> HttpResponse:
    """Create a channel; an existing one of that name is changed when the form says so."""
    given = {name: request.POST.get(name, "").strip() for name in ("name", "kind", "url", "secret")}
    body = {name: value for name, value in given.items() if value} | {
        "digest": request.POST.get("digest") == "1"
    }
    known = Channel.objects.filter(project=member.project, pk=_whole(request.POST.get("channel", ""))).first()
    try:
        with transaction.atomic():
            channel = save_channel(
                body, project=member.project, now=timezone.now(), by=member.user.email, known=known
            )
    except ApiError as refusal:
        return _shown(request, member, problem=f"{refusal.message} {refusal.hint or ''}", status=400)
    except IntegrityError:
        return _shown(request, member, problem="There is a channel of that name already.", status=400)
    messages.info(request, f"The channel {channel.name} is kept. Send a test to see whether it works.")
    return redirect(PAGE, member.project.slug)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _channel(member: Member, number: int) -> Channel:
    found = Channel.objects.filter(project=member.project, pk=number).select_related("project").first()
    if found is None:
        raise Http404("There is no such channel.")
    return found


@require_POST
@project_page("owner")
def test(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Send a test message now and say what came back."""
    channel = _channel(member, number)
    answer = deliveries.try_now(acts.trial_of(channel, now=timezone.now()), now=timezone.now())
    status = f"{answer.status} " if answer.status else ""
    said = f"{status}{answer.answer}".strip()[:200] or "no words"
    messages.info(request, f"{channel.name} {'took' if answer.ok else 'did not take'} the test: {said}")
    return redirect(PAGE, member.project.slug)


@require_POST
@project_page("owner")
def delete(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """The channel goes; what waits for it is not sent."""
    channel = _channel(member, number)
    with transaction.atomic():
        audit.record(
            project=member.project, actor=member.user.email, action="channel.deleted", target=channel.name
        )
        channel.delete()
    messages.info(
        request, f"The channel {channel.name} is gone. Rules that name it tell nobody there any more."
    )
    return redirect(PAGE, member.project.slug)


@require_POST
@project_page()
def digest(request: HttpRequest, member: Member) -> HttpResponse:
    """Whether one gets the weekly digest by e-mail oneself."""
    wants = request.POST.get("wants") == "1"
    if wants:
        DigestReader.objects.get_or_create(project=member.project, user=member.user)
    else:
        DigestReader.objects.filter(project=member.project, user=member.user).delete()
    messages.info(request, "The digest comes on Mondays." if wants else "The digest does not come any more.")
    return redirect(PAGE, member.project.slug)


@require_POST
@project_page("owner")
def again(request: HttpRequest, member: Member, key: UUID) -> HttpResponse:
    """Try a message again that was given up."""
    rows = Delivery.objects.filter(project=member.project, pk=key, state="failed")
    now = timezone.now()
    if not rows.update(state="waiting", next_try_at=now, created_at=now, finished_at=None):
        raise Http404("There is no such message.")
    messages.info(request, "The message is tried again.")
    return redirect(PAGE, member.project.slug)
