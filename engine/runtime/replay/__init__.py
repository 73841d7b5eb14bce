"""The sound of a performance once more, from what its graphs were told. Nothing is decided, and no network is asked."""
