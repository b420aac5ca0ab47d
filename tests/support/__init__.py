"""What tests share: PyTorch beside ours, small tasks and files, a judge with small limits."""
