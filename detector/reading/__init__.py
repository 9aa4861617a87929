"""From bytes to sentences: files, sentence spans, page furniture told from the article."""
