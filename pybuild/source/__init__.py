"""The files of a site: documents and what they say of themselves, templates, secrets."""
