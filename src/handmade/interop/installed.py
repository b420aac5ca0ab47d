"""PyTorch itself, or what to do about its absence."""

try:
    import torch as torch
except ImportError as error:
    raise ModuleNotFoundError(
        f"this needs PyTorch ({error}). Install it: pip install 'handmade[torch]'", name="torch"
    ) from error

if torch.__version__.endswith("+handmade"):
    raise ModuleNotFoundError(
        "this needs PyTorch, and in this process `import torch` means handmade: leave out handmade.astorch",
        name="torch",
    )
