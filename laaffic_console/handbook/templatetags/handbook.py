"""Links from templates into the help."""

from django import template

from laaffic_console.handbook import pages

register = template.Library()
register.simple_tag(pages.address, name="help_address")
