"""``python -m study.results`` (``make results``): the page of results."""
