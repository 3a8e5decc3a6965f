"""Who asks, and what a form asks: small helpers that say so when they are given something else."""

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied

from laaffic_console.kit.forms.form_fields import choices_of, field_of
from laaffic_console.kit.words.people import signed_in


class Form(forms.Form):
    colour = forms.ChoiceField(choices=lambda: [("r", "red"), ("g", "green")])
    name = forms.CharField()


class SignedInTests:
    def test_it_is_whoever_signed_in(self, rf):
        request = rf.get("/")
        request.user = User(username="ada")
        assert signed_in(request) is request.user

    def test_a_stranger_is_refused(self, rf):
        request = rf.get("/")
        request.user = AnonymousUser()
        with pytest.raises(PermissionDenied):
            signed_in(request)


class FieldTests:
    def test_it_is_the_forms_own(self):
        form = Form()
        field_of(form, "colour", forms.ChoiceField).choices = [("b", "blue")]
        assert choices_of(form.fields["colour"]) == [("b", "blue")]

    def test_choices_may_be_made_when_they_are_asked_for(self):
        assert choices_of(Form().fields["colour"])[1:] == [("g", "green")]

    def test_another_kind_is_a_fault_of_ours(self):
        with pytest.raises(TypeError, match="name is a CharField, no ChoiceField"):
            field_of(Form(), "name", forms.ChoiceField)
