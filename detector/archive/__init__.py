"""An archive of articles: which of them is the source of a suspect."""
