"""The chorale network: four voices, one note after another, and what may be done with them."""
