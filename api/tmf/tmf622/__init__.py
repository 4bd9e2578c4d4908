"""Product orders of TMF622 v4 and back: bodies, shapes, patches, lists and the resources that are shown."""
