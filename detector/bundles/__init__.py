"""The model bundles that come with the package; read by `detector.store`, no code of its own."""
