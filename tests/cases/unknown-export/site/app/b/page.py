generateMetadata = None
