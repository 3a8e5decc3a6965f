"""What the console asks of its database beyond rows: its clock, its disk, one moment, one bad row."""
