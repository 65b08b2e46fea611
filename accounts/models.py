"""Who may see and change what: users, projects, members, API keys, audit log. Imports nobody."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from accounts.key_cache import announce

ROLES = ("owner", "editor", "viewer")
SCOPES = ("ingest", "read", "guard", "evals", "admin")
LANES = 16


class UserManager(BaseUserManager["User"]):
    """Makes users; e-mail is the name they sign in with."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user


class User(AbstractBaseUser):
    """A person who signs in by e-mail."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100, blank=True)
    theme = models.CharField(max_length=6, default="system")  # light, dark or system
    is_active = models.BooleanField(default=True)
    is_admin = models.BooleanField(default=False)  # may create projects
    last_project = models.BigIntegerField(null=True)  # opened again at the next sign-in
    created_at = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    def __str__(self) -> str:
        return self.email


class Project(models.Model):
    """The tenant: zone, currency, main environment, and what it keeps."""

    id = models.AutoField(primary_key=True)  # int: the ledger's rows carry it
    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=100)
    zone = models.CharField(max_length=60, default="UTC")
    earlier_zones = models.JSONField(default=list)  # [{"zone", "until": instant}], oldest first: see zones.py
    currency = models.CharField(max_length=3, default="USD")
    main_environment = models.CharField(max_length=100, default="production")
    is_demo = models.BooleanField(default=False)
    keep_content = models.BooleanField(default=False)
    tracked_tags = models.JSONField(default=list)  # tag keys that are dimensions of the series
    redactions = models.JSONField(default=list)  # [{"pattern": regex, "replacement": text}]
    dimension_bound = models.PositiveIntegerField(default=20_000)  # series beyond it lose dimensions
    reported_cost_wins = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    hidden_getting_started = models.BooleanField(default=False)
    tracer_link = models.CharField(max_length=500, blank=True, default="")  # with {trace_id}: see links.py
    repository_link = models.CharField(max_length=500, blank=True, default="")  # with {release}
    catalogue_version = models.BigIntegerField(default=0)  # another number: loaders read the flow names again

    def __str__(self) -> str:
        return self.slug

    @property
    def lane(self) -> int:
        """The lane whose lock every writer of this project's ledger holds."""
        return int(self.id % LANES)


class Member(models.Model):
    """One person's role in one project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=6, choices=[(role, role) for role in ROLES])
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["project", "user"], name="member_once"),
            models.CheckConstraint(condition=models.Q(role__in=ROLES), name="member_role"),
        )

    def __str__(self) -> str:
        return f"{self.user} {self.role} of {self.project}"


class Invitation(models.Model):
    """A link that makes its bearer a member, once, until it expires."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=6, choices=[(role, role) for role in ROLES])
    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256 of the link's secret
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.email} to {self.project}"


class ApiKey(models.Model):
    """A secret of 256 random bits, kept as its SHA-256; it belongs to one project and has scopes."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="keys")
    name = models.CharField(max_length=100, blank=True)
    prefix = models.CharField(max_length=20)  # shown, so that a key can be told from another
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)  # to the minute, and only ever later

    def __str__(self) -> str:
        return f"{self.prefix}… of {self.project}"


class AuditLine(models.Model):
    """Who changed access, prices or history, when, and what it was before. Never changed, never deleted."""

    project = models.ForeignKey(Project, null=True, on_delete=models.SET_NULL, related_name="audit")
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=200)  # an e-mail, `key flk_…`, `command` or `system`
    action = models.CharField(max_length=60)  # for instance `key.revoked`
    target = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        # The audit page of a project, newest first.
        indexes = (models.Index(fields=["project", "-id"], name="audit_of_project"),)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.action} {self.target}"


for _model in (ApiKey, Project):  # what a key's kept answer is made of
    post_save.connect(announce, sender=_model)
    post_delete.connect(announce, sender=_model)
