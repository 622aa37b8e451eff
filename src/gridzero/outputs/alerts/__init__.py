"""Messages to people who are not looking, by Apprise (docs/alerts.md)."""
