"""The native parser behind the protocol of `markdown.renderer`; nothing else knows it."""
