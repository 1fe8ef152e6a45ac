#!/bin/sh
# Installs the peers: the newest PyTorch that pip finds, in bench/peers/venv, and on Debian, as root, its own PyTorch 1.13
# and FAISS 1.7, with a BLAS that is fast.
set -eu
cd "$(dirname "$0")"

python3 -m venv venv
venv/bin/pip install -q torch numpy
venv/bin/python -c 'import torch; print("pip: PyTorch", torch.__version__)'

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get install -y -qq --no-install-recommends python3-torch python3-faiss python3-numpy libopenblas0-pthread >/dev/null
    /usr/bin/python3 -c 'import torch, faiss; print("Debian: PyTorch", torch.__version__, "FAISS", faiss.__version__)'
fi
