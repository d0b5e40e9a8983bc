"""How weights are stored: float16, int8, int8 compute, binary weights on their own."""
