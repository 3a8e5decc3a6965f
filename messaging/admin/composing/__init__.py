"""Writing a campaign, and the page before its launch."""
