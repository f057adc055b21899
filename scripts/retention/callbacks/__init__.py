"""Recording in three lines with PyTorch Lightning, Hugging Face's Trainer and Keras: a module each, which alone imports it."""
