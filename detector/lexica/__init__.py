"""Word lists that `detector.lexicon` reads; no code lives here. NOTICE says whose they are."""
