"""Raw text: files, tables, sentences, boilerplate, words, the lexicon, escaping."""
