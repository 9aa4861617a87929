"""Which language a copy went through."""
