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
ONE_MAXIMUM = Fault(
    "One maximum is subtracted from all scores, not each row's own.",
    "In rows that lie far below the largest every exponential is 0, and 0 / 0 is nan.",
    "scores - scores.max(axis=-1, keepdims=True): each row its own maximum.",
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
    "The keys are matched and read at once: V and its projection learn nothing.",
    "Multiply the weights by V.",
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
    "Each position can attend to one thing only; several heads attend to several.",
    "Split the projections' columns into num_heads heads, each with a softmax of its own.",
)
NO_OUTPUT_PROJECTION = Fault(
    "The output projection Wo is missing.",
    "The heads stand side by side and are never mixed.",
    "Multiply the concatenated heads by Wo.",
)
WEIGHTS_TRANSPOSED = Fault(
    "The projections multiply by W.T, as torch.nn.Linear stores its weight.",
    "Training from scratch may hide it, but pretrained weights will not work.",
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
    "A model whose scores fall below it sees through the mask; at least one model has learned to.",
    "Use -np.inf.",
)
MAXIMUM_OF_THE_HIDDEN = Fault(
    "The maximum that is subtracted is taken before the mask, so it may be a hidden score's.",
    "Where a hidden score lies far above the visible ones all their exponentials are 0, and 0 / 0 is nan.",
    "Mask first, then subtract the maximum of what is left.",
)
LARGE_NUMBER_SUBTRACTED = Fault(
    "A large number such as 1e9 is subtracted from the hidden scores.",
    "A hidden score that is larger still stays above the visible ones, and is seen.",
    "Put -np.inf in their place: np.where(visible, scores, -np.inf).",
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

# --- residual blocks

NO_RESIDUAL = Fault(
    "The input is not added to what the convolutions give.",
    "Gradients have no short path down, and a deep stack trains worse than a shallow one.",
    "relu(out + shortcut), where the shortcut is x or its projection.",
)
NO_RELU_AFTER_THE_SUM = Fault(
    "There is no ReLU after the sum.",
    "The next block gets negative values, which it was not trained for.",
    "relu(out + shortcut).",
)
RELU_BEFORE_THE_SUM = Fault(
    "A ReLU stands between the last norm and the sum.",
    "The block can only add to its input, never take away from it: values grow from block to block.",
    "Add what the last norm gives as it is; the ReLU comes after the sum.",
)
NEVER_PROJECTS = Fault(
    "The shortcut is x itself even where params has a projection.",
    "Where a stage begins, sizes and channels differ and cannot be added.",
    "Where params has downsample.0.weight, the shortcut is that 1x1 convolution with the stride, then downsample.1.",
)
ALWAYS_PROJECTS = Fault(
    "The shortcut is projected even where params has no projection.",
    "Most blocks have none: their names are missing.",
    'Ask for it: if "downsample.0.weight" in params.',
)
PROJECTS_WHERE_SIZES_DIFFER = Fault(
    "The projection is used only where sizes or channels differ.",
    "A block may have one where they agree, as ResNet-50's first has with its first stage's stride of 1; its weights "
    "are then ignored.",
    'Ask the params, not the shapes: if "downsample.0.weight" in params.',
)
PROJECTION_WITHOUT_NORM = Fault(
    "The projection is not normalised: downsample.1 is ignored.",
    "The shortcut's scale does not fit that of the branch it is added to.",
    "norm(convolution(x, downsample.0.weight, stride), downsample.1).",
)
RELU_ON_THE_PROJECTION = Fault(
    "A ReLU follows the projection.",
    "The shortcut loses all that is negative in it.",
    "The shortcut is convolution and norm; the ReLU comes after the sum.",
)
BLOCK_STRIDE_IGNORED = Fault(
    "The block always uses stride 1.",
    "Images do not shrink from stage to stage, and the work grows fourfold each time.",
    "Give the stride to the 3x3 convolution and to the projection.",
)
BATCH_STATISTICS = Fault(
    "The norms use the batch's own mean and variance, not running_mean and running_var.",
    "The result for one image depends on the others in the batch, and published weights give worse results.",
    "(x - running_mean) / np.sqrt(running_var + 1e-5).",
)
DIVIDES_BY_THE_VARIANCE = Fault(
    "The norms divide by the variance, not by its root.",
    "Channels with a variance above 1 nearly vanish, the others explode.",
    "Divide by np.sqrt(running_var + 1e-5).",
)
NORM_WITHOUT_EPS = Fault(
    "eps is left out of the norms.",
    "Channels of small variance come out too large, and one of variance 0 gives nan.",
    "Divide by np.sqrt(running_var + 1e-5).",
)
NORM_EPS_OUTSIDE = Fault(
    "eps is added to the norms' standard deviation, not to the variance.",
    "Channels of small variance come out too large, so published weights are slightly off.",
    "Divide by np.sqrt(running_var + 1e-5).",
)
NORM_WITHOUT_SCALE = Fault(
    "The norms do not multiply by their weight.",
    "What was learned about each channel's importance is lost.",
    "normalised * weight + bias, channel by channel.",
)
NORM_WITHOUT_SHIFT = Fault(
    "The norms do not add their bias.",
    "The ReLU then cuts each channel at its mean, not where it was learned.",
    "normalised * weight + bias, channel by channel.",
)
ONE_NORM_FOR_ALL = Fault(
    "bn1's parameters are used for bn2 too.",
    "The second convolution's results are normalised with the wrong statistics.",
    "Each convolution has its own norm: conv1 and bn1, conv2 and bn2.",
)
KERNEL_TURNED = Fault(
    "The kernels are flipped (rotated by 180 degrees): true convolution.",
    "A network trained from scratch does not mind, but published weights give garbage.",
    "x[i + r, j + s] meets w[r, s].",
)
