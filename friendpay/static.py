"""Static files under hashed names, so that browsers may keep style, scripts and pictures for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """A file that `collectstatic` has not seen keeps its plain name."""

    support_js_module_import_aggregation = True

    def stored_name(self, name: str) -> str:
        known = self.hash_key(self.clean_name(name)) in self.hashed_files
        return str(super().stored_name(name)) if known else name
