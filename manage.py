#!/usr/bin/env python
from laaffic_console.__main__ import main

if __name__ == "__main__":
    main()
