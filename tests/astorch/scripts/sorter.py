"""A network that sorts digits, in the style of minGPT's demo: a Dataset of its own, a sampler with replacement."""

import sys
from collections import defaultdict

import torch
import torch.nn as nn
from torch.nn import functional as F
from torch.utils.data import Dataset
from torch.utils.data.dataloader import DataLoader


class SortDataset(Dataset):
    def __init__(self, split, length=4, num_digits=3):
        self.split, self.length, self.num_digits = split, length, num_digits

    def __len__(self):
        return 10000

    def __getitem__(self, idx):
        inp = torch.randint(self.num_digits, size=(self.length,), dtype=torch.long)
        if torch.rand(1).item() < 0.5 and inp.unique().nelement() > self.length // 2:
            inp = inp.flip(0)
        sol = torch.sort(inp)[0]
        cat = torch.cat((inp, sol), dim=0)
        x, y = cat[:-1].clone(), cat[1:].clone()
        y[: self.length - 1] = -1
        return x, y


class NewGELU(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1.0 + torch.tanh(0.79788456 * (x + 0.044715 * torch.pow(x, 3.0))))


class Net(nn.Module):
    def __init__(self, vocab, block, width=24):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, width), nn.Parameter(torch.zeros(1, block, width))
        layer = nn.TransformerEncoderLayer(width, 2, 48, dropout=0.0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), NewGELU(), nn.Linear(width, vocab))
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(block), persistent=False)
        print("number of parameters: %.3fM" % (sum(p.numel() for p in self.parameters()) / 1e6,))

    def forward(self, idx, targets=None):
        t = idx.size(1)
        x = self.tok(idx) + self.pos[:, :t, :]
        logits = self.head(self.blocks(x, mask=self.mask[:t, :t]))
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)
        return logits, loss


class Trainer:
    def __init__(self, model, train_dataset, max_iters):
        self.callbacks = defaultdict(list)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model, self.data, self.max_iters = model.to(self.device), train_dataset, max_iters

    def run(self):
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=5e-3, betas=(0.9, 0.95))
        loader = DataLoader(
            self.data,
            sampler=torch.utils.data.RandomSampler(self.data, replacement=True, num_samples=int(1e10)),
            shuffle=False,
            pin_memory=True,
            batch_size=16,
            num_workers=0,
        )
        self.model.train()
        data_iter = iter(loader)
        losses = []
        for _ in range(self.max_iters):
            x, y = [t.to(self.device) for t in next(data_iter)]
            _, self.loss = self.model(x, y)
            self.model.zero_grad(set_to_none=True)
            self.loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimizer.step()
            losses.append(self.loss.item())
        return losses


torch.manual_seed(3)
data = SortDataset("train")
losses = Trainer(Net(3, 7), data, 30).run()
print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}", file=sys.stdout)
