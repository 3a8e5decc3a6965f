"""Pages of email campaigns and their mails."""
