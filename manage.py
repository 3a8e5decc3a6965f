#!/usr/bin/env python
"""The console's commands, from a checkout."""

from laaffic_console.__main__ import main

if __name__ == "__main__":
    main()
