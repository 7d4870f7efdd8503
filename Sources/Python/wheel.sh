#!/usr/bin/env bash
# Builds a wheel of swift_flows with the shared library, for this machine's system and processor.
#
#     Sources/Python/wheel.sh [FOLDER]      default: .build-wheel
#
# The library holds Swift's runtime, so whoever installs the wheel needs numpy and nothing else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${1:-.build-wheel}
build=(swift build -c release --product FlowsC -Xswiftc -static-stdlib --scratch-path .build-wheel)
"${build[@]}"
bin=$("${build[@]}" --show-bin-path)
# Names of functions that nobody calls from outside are half of the library.
if [ "$(uname)" = Linux ]; then strip --strip-unneeded "$bin/libFlowsC.so"; fi
python3 Sources/Python/wheel.py "$bin" "$folder"
