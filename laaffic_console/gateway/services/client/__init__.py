"""This process's client of Laaffic's API: its clock and the words for its codes."""
