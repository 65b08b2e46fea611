"""Forms of the pages in accounts/views.py."""

from django import forms


class JoinForm(forms.Form):
    """A new member's name and password."""

    name = forms.CharField(
        label="Your name", max_length=100, required=False, widget=forms.TextInput({"autocomplete": "name"})
    )
    password = forms.CharField(
        label="Password",
        help_text="At least 10 characters.",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
