"""The first samples of PyTorch's own test databases: nothing differs, and refusals are in our words.

Every module and optimizer, and every fourth operation.

All samples: `python -m benchmarks torch_databases`, whose tables are in docs/pytorch.md.
"""

import pytest
import torch

from tests.support import torch_databases, torch_modules

FIRST = 2  # samples of each entry, and as many of its inputs that must be refused

ENTRIES = {
    "op_db": (torch_databases.entries, torch_databases.run_entry),
    "module_db": (torch_modules.module_entries, torch_modules.run_module),
    "optim_db": (torch_modules.optimizer_entries, torch_modules.run_optimizer),
}


@pytest.fixture
def no_unittest(monkeypatch):
    """PyTorch looks for a unittest of its own through the whole stack, at every sample, which takes 0.1 s: none."""
    monkeypatch.setattr("torch.testing._internal.common_utils.extract_test_fn", lambda: None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of PyTorch's samples
@pytest.mark.parametrize("database", ENTRIES)
def test_the_first_samples_agree(database, no_unittest):
    entries, run = ENTRIES[database]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        chosen = entries()[:: 4 if database == "op_db" else 1]
        tallies = [run(entry, FIRST) for entry in chosen]
    finally:
        torch.set_num_threads(threads)
    assert sum(tally.samples for tally in tallies) > {"op_db": 100, "module_db": 80, "optim_db": 8}[database]
    assert [tally.notes["wrong"] for tally in tallies if tally.wrong] == []
    assert [tally.notes["crash"] for tally in tallies if tally.crash] == []
    refused = sum(tally.refused.total() for tally in tallies)
    assert refused < 0.15 * sum(tally.samples for tally in tallies)  # tests check types, which refuses some more


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of PyTorch's samples
def test_the_first_reference_inputs_agree(no_unittest):
    """PyTorch's larger inputs: NaNs and infinities, memory in every order, broadcasting."""
    entries = [entry for entry in torch_databases.entries() if entry.reference_inputs_func is not None]
    tallies = [torch_databases.run_entry(entry, 6, reference=True) for entry in entries[::12]]
    assert sum(tally.samples for tally in tallies) > 30
    assert [tally.notes["wrong"] for tally in tallies if tally.wrong] == []
    assert [tally.notes["crash"] for tally in tallies if tally.crash] == []
    assert sum(tally.refused.total() for tally in tallies) < 0.15 * sum(tally.samples for tally in tallies)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_comparison_sees_what_is_wrong():
    """A wrong value, a wrong gradient, a refusal that is missing and NumPy's words are each counted."""
    from types import SimpleNamespace

    from torch.testing._internal.opinfo.core import SampleInput

    import handmade

    def outcome(function, sample=None):
        tally = torch_databases.Tally()
        sample = sample or SampleInput(torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True))
        entry = SimpleNamespace(op=torch.exp)
        torch_databases.judge(tally, lambda: torch_databases._compare("exp", entry, function, sample))
        return "agree" if tally.agree else next(iter(tally.notes))

    def own_refusal(x):
        return x.flipud().fliplr()

    assert outcome(handmade.exp) == "agree"
    assert outcome(lambda x: x.exp() * 1.001) == "wrong"
    assert outcome(lambda x: x.exp() * 2 - x.exp().detach()) == "wrong"
    assert outcome(lambda x: x.exp().detach()) == "wrong"
    assert outcome(lambda x: x.exp().float()) == "wrong"
    assert outcome(lambda x: x.numpy()[3]) == "crash"
    assert outcome(own_refusal) == "refused: another"
