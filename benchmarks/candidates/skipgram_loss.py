import numpy as np


def log_sigmoid(s):
    return -np.logaddexp(0, -s)


def sigmoid(s):
    return np.exp(log_sigmoid(s))


def skipgram_loss(center, positive, negatives):
    loss = -log_sigmoid(np.dot(positive, center))
    err = sigmoid(np.dot(positive, center)) - 1
    dcenter = err * positive
    dpositive = err * center
    dnegatives = np.empty_like(negatives)
    for k, noise in enumerate(negatives):
        score = noise @ center
        loss -= log_sigmoid(-score)
        dnegatives[k] = sigmoid(score) * center
        dcenter = dcenter + sigmoid(score) * noise
    return loss, dcenter, dpositive, dnegatives
