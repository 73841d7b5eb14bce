"""Event encodings: how musical events become the inputs and labels of a network, one module for each kind of music."""
