"""The account at Laaffic: its money, its applications, and what holds everything."""
