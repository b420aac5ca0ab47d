"""The heavy loops: arrays in, arrays out, nothing of tensors or gradients' tapes. The only room with speed tricks."""
