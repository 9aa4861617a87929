"""Every way to show a report: plain records, tables, text, terminal, page."""
