"""Features of pictures by pretrained networks or the pretext network, computed once."""
