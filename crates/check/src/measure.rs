//! Counting words, characters, sentences, paragraphs and items.
