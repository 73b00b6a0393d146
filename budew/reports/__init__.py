"""Every HTML page and every terminal table."""
