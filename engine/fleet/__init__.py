"""Players that are watched and steered from afar, over MQTT: what is said, and how a broker is spoken to."""
