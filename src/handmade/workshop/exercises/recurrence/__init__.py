"""RNN, LSTM and GRU, forward and backward through time."""
