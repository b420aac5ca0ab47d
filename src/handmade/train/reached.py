"""What recipes reach as they are, measured on two cores; docs/measured.md says how each was taken."""

REACHED = {
    "lenet5": "88.3 % right on packaged Fashion-MNIST, 99.1 % on MNIST",
    "resnet20": "77.6 % right on CIFAR-10 after 5 epochs, 63.2 % after 3",
    "gpt": "1.841 nats a character on the test part",
    "gpt-cpu": "1.757 nats a character after 2,000 steps on Tiny Shakespeare",
    "char-lstm": "1.457 nats a character after 3,000 steps on Tiny Shakespeare",
    "bert": "53.7 % of masked characters guessed",
    "seq2seq-attention": "100.0 % of unseen dates right",
    "seq2seq": "28.2 % of unseen dates right",
    "transformer": "38.84 BLEU on Multi30k's test_2016_flickr, after 41 minutes",
    "spoken-digits": "92.2 % right, of a speaker that was held out",
    "trigger-word": "precision 0.89 and recall 0.88, of a speaker that was held out",
}
