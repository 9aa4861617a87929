"""An archive of articles, and the search for a suspect's source."""
