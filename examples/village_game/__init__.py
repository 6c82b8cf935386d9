"""The parts of the village: its scenario, its people, what befalls them, and how it is drawn."""
