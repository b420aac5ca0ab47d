"""What training loops need beside layers: gradient clipping, padded and packed sequences, evaluation mode."""

from handmade.nn.utils import rnn as rnn
from handmade.nn.utils.parameters import clip_grad_norm_ as clip_grad_norm_
from handmade.nn.utils.parameters import clip_grad_value_ as clip_grad_value_
from handmade.nn.utils.parameters import evaluating as evaluating
from handmade.nn.utils.parameters import laid_out_like as laid_out_like
from handmade.nn.utils.parameters import parameters_to_vector as parameters_to_vector
from handmade.nn.utils.parameters import vector_to_parameters as vector_to_parameters
from handmade.nn.utils.rnn import pad_sequence as pad_sequence
