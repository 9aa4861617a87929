"""The wing where the classifier is fitted and measured; scoring never imports it.

corpus (what a labelled pair is) - loaders (one per table) - consensus (labels out of many
translations of one sentence) - contrasts (minimal pairs made here) - measure (pairs to features,
with a cache) - train - card - evaluate - commands.
"""
