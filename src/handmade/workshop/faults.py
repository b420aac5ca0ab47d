"""Mistakes that several exercises share, under one text each."""

from handmade.workshop.exercise import Fault

NO_SCALE = Fault(
    "The scores are not divided by sqrt(d_k).",
    "Their variance grows with d_k, so the softmax saturates and gradients vanish.",
    "Divide Q K^T by np.sqrt(d_k) before the softmax.",
)
DIVIDES_BY_D_K = Fault(
    "The scores are divided by d_k, not by its square root.",
    "Attention is too flat: queries cannot pick out a key.",
    "Divide by np.sqrt(d_k): a sum of d_k products of unit variance has standard deviation sqrt(d_k).",
)
ROOT_OF_D_MODEL = Fault(
    "The scores are divided by sqrt(d_model), not by sqrt(d_k).",
    "Every head's attention is too flat, and the more heads there are the flatter it gets.",
    "A head's products have d_k = d_model / num_heads terms: divide by np.sqrt(d_k).",
)
SOFTMAX_OVER_QUERIES = Fault(
    "The softmax runs over the queries (axis -2).",
    "The queries compete for each key, and no query's output is a mean of the values any more.",
    "Sum over the keys, axis -1: each row of attention weights must sum to 1.",
)
OVERFLOWS = Fault(
    "exp overflows for large scores, and inf / inf is nan.",
    "One large score turns the loss into nan, and all weights with it.",
    "Subtract each row's maximum before exp: the result is the same.",
)
NOT_NORMALISED = Fault(
    "The exponentials are not divided by their sum.",
    "The outputs grow with the number of keys instead of being means of the values.",
    "Divide by the sum over the keys, axis -1 with keepdims=True.",
)
NO_SOFTMAX = Fault(
    "There is no softmax: the values are weighted by the scores themselves.",
    "Weights are negative and unbounded, and the output grows with the square of the input.",
    "Turn each row of scores into weights that are positive and sum to 1: exp, divided by the sum.",
)
KEYS_AS_VALUES = Fault(
    "The weights are applied to K, not to V.",
    "What is found and what is handed on are the same: V, and its projection, learns nothing.",
    "Multiply the weights with V.",
)
RESHAPED_NOT_SPLIT = Fault(
    "The projections are reshaped to (num_heads, S, d_k) at once, which cuts the rows apart instead of the columns.",
    "A head sees some positions' whole vectors and none of the others: positions and features are mixed up.",
    "reshape(S, num_heads, d_k) first, then swap the first two axes.",
)
MERGED_WITHOUT_SWAP = Fault(
    "The heads are reshaped to (S, d_model) without swapping the axes back.",
    "Each row of the result holds one head at several positions, so positions are mixed.",
    "(num_heads, S, d_k) -> swap the first two axes -> (S, num_heads, d_k) -> reshape to (S, d_model).",
)
ONE_HEAD = Fault(
    "num_heads is ignored: there is one head as wide as the model.",
    "Each position can look at one thing only, where several heads look at several.",
    "Split the projections' columns into num_heads heads, each with a softmax of its own.",
)
NO_OUTPUT_PROJECTION = Fault(
    "The output projection Wo is missing.",
    "The heads stand side by side and are never mixed.",
    "Multiply the concatenated heads with Wo.",
)
WEIGHTS_TRANSPOSED = Fault(
    "The projections multiply with W.T, as torch.nn.Linear stores its weight.",
    "Training from scratch may hide it, but no given weights will work.",
    "Here weights are (in, out): X @ W.",
)
NO_MASK = Fault(
    "There is no mask: every query sees all keys.",
    "The model reads the answer in training, its loss falls quickly, and it is useless without the answer.",
    "Set the scores that must not be seen to -inf before the softmax.",
)
MASK_AFTER_SOFTMAX = Fault(
    "The mask is applied after the softmax.",
    "Hidden keys still stand in the denominator: rows sum to less than 1, and the future leaks through their sums.",
    "Set the hidden scores to -inf before the softmax.",
)
MASKED_WITH_ZERO = Fault(
    "Hidden scores are set to 0 (or to next to nothing), and exp(0) is 1.",
    "Hidden keys keep a weight like that of an average key, so what must not be seen is seen.",
    "Set them to -inf: exp(-inf) is 0.",
)
FINITE_MASK = Fault(
    "Hidden scores get a finite value such as -1e4.",
    "A model whose scores fall below it sees through the mask; one has learned to.",
    "Use -np.inf.",
)
SEES_ONE_AHEAD = Fault(
    "The mask is shifted by one: each position sees the next one too.",
    "The next token is what is to be predicted: the model copies it, and cannot generate.",
    "Query i sees key j where j <= i: np.tril with k=0.",
)
UNBIASED_VARIANCE = Fault(
    "The variance is divided by D - 1, not by D.",
    "It differs from every framework's layer, the more the narrower the layer, so published weights are slightly off.",
    "Use the biased variance: x.var(-1), in torch var(-1, correction=0).",
)
EPS_OUTSIDE = Fault(
    "eps is added to the standard deviation, not to the variance.",
    "Rows of little variance come out too large, and published weights are slightly off.",
    "Divide by np.sqrt(variance + eps).",
)
