"""The forms of signing in, in the words of this product. allauth finds its own by ACCOUNT_FORMS."""

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms

LABELS = {
    "login": "E-mail",
    "email": "E-mail",
    "name": "Your name",
    "password": "Password",
    "oldpassword": "Current password",
    "password1": "New password",
    "password2": "New password again",
}
HELP = {"password1": "At least 10 characters, and none of the common ones."}


class Plain:
    """Labels from LABELS, no colon after them, no placeholder, help only where HELP has some."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        form: Any = self
        form.label_suffix = ""
        for name, field in form.fields.items():
            field.label = LABELS.get(name, field.label)
            field.help_text = HELP.get(name, "")
            field.widget.attrs.pop("placeholder", None)


class SignInForm(Plain, allauth_forms.LoginForm):  # type: ignore[misc]
    """E-mail and password."""


class ChangePasswordForm(Plain, allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """The current password, and the new one twice."""


class SetPasswordForm(Plain, allauth_forms.SetPasswordForm):  # type: ignore[misc]
    """The new password twice."""


class ResetPasswordForm(Plain, allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """The address that gets a link."""


class ResetPasswordKeyForm(Plain, allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """The new password twice, after the link."""


class JoinForm(Plain, forms.Form):
    """A new member's name and password."""

    name = forms.CharField(max_length=100, required=False, widget=forms.TextInput({"autocomplete": "name"}))
    password1 = forms.CharField(
        max_length=200, strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )
