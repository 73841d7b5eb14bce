"""Recurrent networks that go on from events: the stack, its layout, and the one loop that generates."""
