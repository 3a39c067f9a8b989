#!/bin/sh
# Writes requirements/*.txt: exact versions with hashes for Linux and macOS, Python 3.11 and newer.
# serve.txt is what the gateway and its demo need; build.txt and test.txt agree with it.
# oldest.txt is the other end: the lowest version that every requirement admits, mcp's own included.
set -eu

UV_VERSION=0.13.9
uv_venv=.venv-lock
cd "$(dirname "$0")/.."

if [ ! -x "$uv_venv/bin/uv" ] || [ "$("$uv_venv/bin/uv" --version | cut -d' ' -f2)" != "$UV_VERSION" ]; then
    "${PYTHON:-python3}" -m venv --clear "$uv_venv"
    "$uv_venv/bin/python" -m pip install --quiet "uv==$UV_VERSION"
fi

compile() {
    target=$1
    shift
    "$uv_venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --custom-compile-command "make lock" "$@" --output-file "$target"
}

compile requirements/serve.txt pyproject.toml --extra embedded
compile requirements/build.txt requirements/build.in --constraint requirements/serve.txt
compile requirements/test.txt pyproject.toml \
    --extra embedded --extra test --extra clients --extra lint \
    --constraint requirements/serve.txt --constraint requirements/build.txt
# --upgrade: what the file holds now would be kept where it is still admitted, however new it is.
# --no-strip-extras: an older pip takes pyjwt[crypto] for another requirement than pyjwt.
compile requirements/oldest.txt pyproject.toml --extra embedded --extra test \
    --resolution lowest --upgrade --only-binary :all: --no-strip-extras \
    --constraint requirements/oldest.in --constraint requirements/build.txt
