"""System checks: settings with which the console would lose, repeat or leak something, each with an id.

Errors stop every command and the web process; warnings are printed and are on the health page. Those that only matter
on a real installation come with `check --deploy` and on that page.
"""
