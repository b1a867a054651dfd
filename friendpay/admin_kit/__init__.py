"""The support desk: Django's admin behind a second factor. Its pages belong to the apps."""
