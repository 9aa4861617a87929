"""The report, and every form it is shown in."""
