"""Django's classes that are generic for mypy alone: a running program cannot write [Any] behind them.

A mixin gets the methods that it calls from the class it will be beside; when it runs it has no base of its own.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.paginator import Paginator

if TYPE_CHECKING:
    from django.contrib import admin

    AnyModelForm = forms.ModelForm[Any]
    AnyChoiceOfRows = forms.ModelChoiceField[Any]
    AnyPaginator = Paginator[Any]
    BesideModelForm = forms.ModelForm[Any]
    BesideModelAdmin = admin.ModelAdmin[Any]
else:
    AnyModelForm = forms.ModelForm
    AnyChoiceOfRows = forms.ModelChoiceField
    AnyPaginator = Paginator
    BesideModelForm = BesideModelAdmin = object
