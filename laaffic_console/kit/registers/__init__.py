"""What each app registers when it is made ready, and the dashboard shows."""
